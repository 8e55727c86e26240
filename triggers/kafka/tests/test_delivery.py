"""What becomes of a record, with a function over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from kubeless_kafka.config import Retry
from kubeless_kafka.partition import Partition


def test_what_succeeds_is_finished_and_only_then(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, body: bytes) -> int:
        if body == b"0":
            await go.wait()
        return 200

    async def test(one: Any) -> None:
        one.send(("a", b"0"), ("b", b"1"))
        await one.until(lambda: one.partition.tracker.unfinished == 1)
        assert one.watermark == 0
        go.set()
        await one.until(lambda: one.watermark == 2)

    bench(slow, test)


def test_records_of_a_key_wait_for_each_other_and_others_do_not(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, __: object) -> int:
        await go.wait()
        await asyncio.sleep(0.01)
        return 200

    async def test(one: Any) -> None:
        one.send(*[("ab"[index % 2], b"x") for index in range(10)])
        await one.until(lambda: one.open == 2)
        go.set()
        await one.until(lambda: one.watermark == 10)
        assert one.most_open == 2
        assert [offset for offset in one.ids() if offset % 2] == [1, 3, 5, 7, 9]

    bench(slow, test)


def test_no_more_calls_at_once_than_max_in_flight(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, __: object) -> int:
        await go.wait()
        await asyncio.sleep(0.01)
        return 200

    async def test(one: Any) -> None:
        one.send(*[(None, b"x")] * 40)
        await one.until(lambda: one.open == 8)
        go.set()
        await one.until(lambda: one.watermark == 40)
        assert one.most_open == 8

    bench(slow, test)


def test_no_more_records_open_than_max_uncommitted(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(*[(None, b"x")] * 40)
        await one.until(lambda: one.watermark == 10)
        await asyncio.sleep(0.05)
        assert len(one.calls) == 10
        one.partition.tracker.acknowledge(10)
        one.worker._pump()
        await one.until(lambda: one.watermark == 20)

    bench(lambda *_: 200, test, max_uncommitted=10)


def test_a_failure_is_tried_again_before_what_follows_it(bench: Any) -> None:
    answers = iter([500, 408, 200, 200])

    async def test(one: Any) -> None:
        one.send(("a", b"0"), ("a", b"1"))
        await one.until(lambda: one.watermark == 2)
        assert one.ids() == [0, 0, 0, 1]
        assert one.worker.board.last_error.reason == "HandlerFailed"

    bench(lambda *_: next(answers), test)


def test_attempts_that_are_exhausted_end_in_a_dead_letter(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.watermark == 1)
        (letter,) = one.letters.written
        found = {name: value.decode() for name, value in letter.headers}
        assert (letter.topic, letter.key, letter.value) == ("orders.dlq", b"a", b"0")
        assert found["kubeless-dlq-attempts"] == "3"
        assert found["kubeless-dlq-status"] == "500"
        assert found["kubeless-dlq-offset"] == "0"
        assert len(one.calls) == 3

    bench(lambda *_: 500, test)


def test_poison_is_a_dead_letter_at_once(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.watermark == 1)
        assert len(one.calls) == len(one.letters.written) == 1

    bench(lambda *_: 400, test)


def test_a_connection_that_breaks_counts_an_attempt(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.watermark == 1)
        assert len(one.calls) == 3
        found = dict(one.letters.written[0].headers)
        assert found["kubeless-dlq-status"] == b""

    bench(lambda *_: None, test)


def test_redirects_are_not_followed(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.watermark == 1)
        assert len(one.calls) == 1
        assert dict(one.letters.written[0].headers)["kubeless-dlq-status"] == b"302"

    bench(lambda *_: web.Response(status=302, headers={"Location": "/"}), test)


def test_503_with_retry_after_waits_without_an_attempt_and_other_keys_go_on(bench: Any) -> None:
    refused = []

    def answer(_: object, body: bytes) -> Any:
        if body == b"a" and len(refused) < 5:
            refused.append(1)
            return web.Response(status=503, headers={"Retry-After": "0"})
        return 200

    async def test(one: Any) -> None:
        one.send(("a", b"a"), *[("b", b"b")] * 5)
        await one.until(lambda: one.partition.tracker.unfinished == 1)
        assert one.watermark == 0
        await one.until(lambda: one.watermark == 6)
        assert one.letters.written == []
        assert one.ids().count(0) == 6

    bench(answer, test)


def test_an_outage_burns_no_attempts_and_ends_by_itself(bench: Any) -> None:
    async def test(one: Any) -> None:
        await one.stop_listening()
        one.send(*[(str(index), b"x") for index in range(20)])
        await one.until(lambda: one.worker.board.has("FunctionUnavailable"))
        await one.until(lambda: one.worker.halted() != "")
        assert one.watermark == 0
        await one.listen(one.port)
        await one.until(lambda: one.watermark == 20)
        assert one.worker.board.current is None
        assert one.worker.halted() == ""
        assert one.letters.written == []
        assert len(one.calls) == 20

    bench(lambda *_: 200, test)


def test_an_outage_ends_when_the_records_that_waited_go_elsewhere(bench: Any) -> None:
    async def test(one: Any) -> None:
        await one.stop_listening()
        one.send(("a", b"x"))
        await one.until(lambda: one.worker.board.has("FunctionUnavailable"))
        one.worker.lost([one.partition])
        await one.until(lambda: not one.worker.board.has("FunctionUnavailable"))
        assert one.worker._outage is None

    bench(lambda *_: 200, test)


def test_an_answer_that_the_topic_does_not_take_is_a_dead_letter(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.letters.limit = 3
        one.send(("a", b"0"), ("a", b"1"))
        await one.until(lambda: one.watermark == 2)
        assert [letter.topic for letter in one.letters.written] == ["orders.dlq"] * 2
        found = dict(one.letters.written[0].headers)
        assert b"too large" in found["kubeless-dlq-error"]

    bench(lambda *_: web.Response(text="long answer"), test, response_topic="answers")


def test_a_dead_letter_that_cannot_be_written_stops_the_partition_and_loses_nothing(
    bench: Any,
) -> None:
    async def test(one: Any) -> None:
        one.letters.broken = True
        one.send(("a", b"bad"))
        await one.until(lambda: one.worker.board.has("DeadLetterUnavailable"))
        one.send(("b", b"good"))
        await asyncio.sleep(0.1)
        assert (one.watermark, len(one.calls)) == (0, 1)
        one.letters.broken = False
        await one.until(lambda: one.watermark == 2)
        assert one.worker.board.current is None
        assert one.ids() == [0, 1]

    bench(lambda _, body: 400 if body == b"bad" else 200, test)


def test_the_answer_is_written_before_the_record_is_finished(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.letters.broken = True
        one.send(("a", b"0"))
        await one.until(lambda: one.worker.board.has("ResponseTopicUnavailable"))
        assert one.watermark == 0
        one.letters.broken = False
        await one.until(lambda: one.watermark == 1)
        (letter,) = one.letters.written
        assert (letter.topic, letter.key, letter.value) == ("out", b"a", b"hi")
        assert dict(letter.headers)["event-id"] == b"orders/0/0"
        assert len(one.calls) == 1

    bench(lambda *_: web.Response(text="hi"), test, response_topic="out")


def test_the_triggers_own_table_of_statuses_holds(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.watermark == 1)
        assert one.letters.written == []

    bench(lambda *_: 404, test, retry=Retry(3, 0.01, 0.05, {"4xx": "Success"}))


def test_what_comes_late_after_a_revoke_moves_nothing(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, __: object) -> int:
        await go.wait()
        return 200

    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await one.until(lambda: one.open == 1)
        assert await one.worker.revoked([one.partition], 0.05) == []
        again = Partition(0, 0, committed=True, start="committed", metadata="")
        one.worker.assigned([again])
        go.set()
        await one.until(lambda: one.worker.in_flight == 0)
        assert (one.partition.tracker.watermark, again.tracker.watermark) == (0, 0)

    bench(slow, test)


def test_a_revoke_finishes_what_is_under_way_and_begins_nothing_new(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, __: object) -> int:
        await go.wait()
        return 200

    async def test(one: Any) -> None:
        one.send(("a", b"0"), ("a", b"1"))
        await one.until(lambda: one.open == 1)
        asyncio.get_running_loop().call_later(0.05, go.set)
        assert await one.worker.revoked([one.partition], 5.0) == [(one.partition, 1)]
        assert one.ids() == [0]
        assert not one.partition.alive

    bench(slow, test)


def test_a_revoke_leaves_no_gap_before_what_was_done(bench: Any) -> None:
    go = asyncio.Event()

    async def slow(_: object, body: bytes) -> int:
        if body == b"slow":
            await go.wait()
        return 200

    async def test(one: Any) -> None:
        one.send(("a", b"slow"), ("a", b"1"), ("b", b"2"), ("a", b"3"))
        await one.until(lambda: len(one.calls) == 2)
        asyncio.get_running_loop().call_later(0.05, go.set)
        assert await one.worker.revoked([one.partition], 5.0) == [(one.partition, 3)]
        assert one.ids() == [0, 2, 1]

    bench(slow, test)


def test_nothing_is_called_while_the_trigger_is_paused(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(("a", b"0"))
        await asyncio.sleep(0.1)
        assert one.calls == []
        assert one.worker.halted() == "the trigger is paused"

    bench(lambda *_: 200, test, paused=True)


def test_a_batch_is_gathered_up_to_its_size_or_its_wait(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(*[("a", b"0")] * 7)
        await one.until(lambda: one.watermark == 7)
        assert one.batch_sizes() == [5, 2]

    bench(lambda *_: 200, test, batch=(5, 0.05))


def test_failed_indexes_go_again_with_what_follows_of_their_key(bench: Any) -> None:
    answers = iter([b'{"failed": [0]}', b""])

    async def test(one: Any) -> None:
        one.send(("a", b"0"), ("b", b"1"), ("a", b"2"))
        await one.until(lambda: one.watermark == 3)
        again = [event["kafkaoffset"] for event in json.loads(one.calls[1][1])]
        assert again == ["0", "2"]

    bench(lambda *_: web.Response(body=next(answers)), test, batch=(3, 0.01))


def test_a_batch_that_is_refused_is_split_until_the_poison_is_alone(bench: Any) -> None:
    async def test(one: Any) -> None:
        one.send(*[(str(index), b"bad" if index == 5 else b"ok") for index in range(8)])
        await one.until(lambda: one.watermark == 8)
        assert [letter.value for letter in one.letters.written] == [b"bad"]
        assert one.batch_sizes()[0] == 8

    bench(lambda _, body: 422 if b"YmFk" in body else 200, test, batch=(8, 0.01))


def test_a_batch_that_fails_is_made_again_in_halves_and_only_one_alone_is_given_up(
    bench: Any,
) -> None:
    async def test(one: Any) -> None:
        one.send(*[(str(index), b"bad" if index == 5 else b"ok") for index in range(8)])
        await one.until(lambda: one.watermark == 8)
        assert [letter.value for letter in one.letters.written] == [b"bad"]

    bench(lambda _, body: 500 if b"YmFk" in body else 200, test, batch=(8, 0.01))


def test_an_answer_to_a_batch_that_means_nothing_is_a_failure(bench: Any) -> None:
    answers = iter([b'{"failed": "all"}', b"", b""])

    async def test(one: Any) -> None:
        one.send(("a", b"0"), ("b", b"1"))
        await one.until(lambda: one.watermark == 2)
        assert sum(one.batch_sizes()) == 4

    bench(lambda *_: web.Response(body=next(answers)), test, batch=(2, 0.01))
