"""The guarantees of the work queue, one test each."""

from __future__ import annotations

import threading
import time

from kubeless_kube.workqueue import WorkQueue


def test_a_key_that_waits_is_there_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_a_key_is_never_with_two_workers_and_comes_again_when_added_meanwhile() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert queue.get() == "a"


def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in "abcab":
        queue.add(key)
    assert [queue.get() for _ in range(3)] == ["a", "b", "c"]


def test_many_workers_never_share_a_key_and_lose_none() -> None:
    queue: WorkQueue[int] = WorkQueue()
    working: set[int] = set()
    shared: list[int] = []
    seen: dict[int, int] = {}
    lock = threading.Lock()

    def work() -> None:
        while (key := queue.get()) is not None:
            with lock:
                if key in working:
                    shared.append(key)
                working.add(key)
            time.sleep(0.0002)
            with lock:
                working.discard(key)
                seen[key] = seen.get(key, 0) + 1
            queue.done(key)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for number in range(3000):
        queue.add(number % 50)
    deadline = time.monotonic() + 20
    while (len(queue) or queue.longest_work()) and time.monotonic() < deadline:
        time.sleep(0.01)
    queue.shut_down()
    for worker in workers:
        worker.join(5)
    assert not shared
    assert seen.keys() == set(range(50))


def test_a_retry_comes_after_a_delay_that_grows_and_forget_ends_it() -> None:
    queue: WorkQueue[str] = WorkQueue(initial_delay=0.01, maximum_delay=0.04)
    delays = [queue.retry("a") for _ in range(6)]
    assert delays[0] <= 0.01
    assert 0.02 <= delays[5] <= 0.04
    queue.forget("a")
    assert queue.retry("a") <= 0.01
    assert queue.get() == "a"


def test_the_earliest_of_several_delays_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    started = time.monotonic()
    assert queue.get() == "a"
    assert time.monotonic() - started < 5
    queue.done("a")
    assert len(queue) == 0


def test_after_shut_down_nobody_waits() -> None:
    queue: WorkQueue[str] = WorkQueue()
    found: list[str | None] = []
    worker = threading.Thread(target=lambda: found.append(queue.get()))
    worker.start()
    queue.shut_down()
    worker.join(5)
    assert found == [None]
    queue.add("a")
    assert queue.get() is None


def test_the_oldest_work_is_measured() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert queue.longest_work() == 0.0
    queue.add("a")
    queue.get()
    time.sleep(0.02)
    assert queue.longest_work() >= 0.02
