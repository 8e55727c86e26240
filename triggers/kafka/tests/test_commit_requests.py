"""Commits between polls."""

from __future__ import annotations

import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from kubeless_kafka import commit_requests
from kubeless_kafka.commit_requests import CommitRequests
from kubeless_kafka.partition import Partition


class Client:
    """Takes what is to be committed."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[int, int]]] = []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.asked.append([(one.partition, one.offset) for one in offsets])


def partition(number: int) -> Partition:
    return Partition(number, 0, committed=True, start="committed", metadata="m")


@pytest.fixture
def client() -> Any:
    return Client()


def test_one_commit_at_a_time_in_order(client: Any) -> None:
    one = partition(0)
    requests = CommitRequests("t", lambda _: True)
    first, second = requests.add([(one, 5)]), requests.add([(one, 7)])
    requests.begin_next(client)
    requests.begin_next(client)
    assert client.asked == [[(0, 5)]]
    requests.answered(None, [TopicPartition("t", 0, 5)])
    assert first.result(0) == [(one, 5, None)]
    requests.begin_next(client)
    assert client.asked == [[(0, 5)], [(0, 7)]]
    assert not second.done()


def test_what_is_others_by_now_is_never_committed(client: Any) -> None:
    mine, gone = partition(0), partition(1)
    requests = CommitRequests("t", lambda one: one is mine)
    future = requests.add([(mine, 5), (gone, 9)])
    requests.begin_next(client)
    assert client.asked == [[(0, 5)]]
    requests.answered(None, [TopicPartition("t", 0, 5)])
    assert future.result(0) == [(mine, 5, None)]
    late = requests.add([(gone, 10)])
    requests.begin_next(client)
    assert (late.result(0), len(client.asked)) == ([], 1)


def test_a_commit_that_is_refused_says_so_for_each_partition(client: Any) -> None:
    one = partition(0)
    requests = CommitRequests("t", lambda _: True)
    future = requests.add([(one, 5)])
    requests.begin_next(client)
    requests.answered(KafkaError(KafkaError.ILLEGAL_GENERATION), [TopicPartition("t", 0, 5)])
    ((_, _, failure),) = future.result(0)
    assert failure is not None
    assert failure.code() == KafkaError.ILLEGAL_GENERATION


def test_the_answer_to_anothers_commit_is_not_taken_for_ours(client: Any) -> None:
    first, second = partition(0), partition(1)
    requests = CommitRequests("t", lambda _: True)
    future = requests.add([(first, 5), (second, 9)])
    requests.begin_next(client)
    # What a rebalance commits by itself is told by the same callback: of a part, and of other offsets.
    requests.answered(None, [TopicPartition("t", 1, 9)])
    requests.answered(None, [TopicPartition("t", 0, 4), TopicPartition("t", 1, 9)])
    requests.answered(KafkaError(KafkaError.ILLEGAL_GENERATION), [TopicPartition("t", 1, 8)])
    assert not future.done()
    requests.begin_next(client)
    assert client.asked == [[(0, 5), (1, 9)]]
    requests.answered(None, [TopicPartition("t", 1, 9), TopicPartition("t", 0, 5)])
    assert future.result(0) == [(first, 5, None), (second, 9, None)]


@pytest.mark.parametrize("error", [None, KafkaError(KafkaError._WAIT_COORD)])
def test_an_answer_without_partitions_is_no_success(client: Any, error: KafkaError | None) -> None:
    requests = CommitRequests("t", lambda _: True)
    future, later = requests.add([(partition(0), 5)]), requests.add([(partition(0), 7)])
    requests.begin_next(client)
    requests.answered(error, [])
    with pytest.raises(KafkaException):
        future.result(0)
    requests.begin_next(client)
    requests.answered(None, [TopicPartition("t", 0, 7)])
    assert later.result(0)


def test_without_an_answer_the_next_goes_after_a_while(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = CommitRequests("t", lambda _: True)
    future = requests.add([(partition(0), 5)])
    requests.begin_next(client)
    requests.begin_next(client)
    assert not future.done()

    monkeypatch.setattr(commit_requests, "ANSWER_SECONDS", 0.0)
    requests = CommitRequests("t", lambda _: True)
    future, later = requests.add([(partition(0), 5)]), requests.add([(partition(0), 7)])
    requests.begin_next(client)
    time.sleep(0.001)
    monkeypatch.undo()  # the later one has its time
    requests.begin_next(client)
    with pytest.raises(KafkaException, match="_TIMED_OUT"):
        future.result(0)
    # One that comes late is nobody's.
    requests.answered(None, [TopicPartition("t", 0, 5)])
    assert not later.done()
    requests.answered(None, [TopicPartition("t", 0, 7)])
    assert later.result(0)


def test_nobody_waits_for_a_client_that_is_gone(client: Any) -> None:
    requests = CommitRequests("t", lambda _: True)
    futures = [requests.add([(partition(0), 5)]) for _ in range(2)]
    requests.begin_next(client)
    requests.end()
    for future in futures:
        with pytest.raises(KafkaException):
            future.result(0)
    requests.answered(None, [])
