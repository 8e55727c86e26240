"""What holds a function up, and logs that do not flood."""

from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError

from kubeless_kafka import errors
from kubeless_kafka.logs import Repeats, Throttle
from kubeless_kafka.problems import Board


def test_causes_are_shown_before_what_follows_from_them_and_each_clears() -> None:
    board = Board()
    assert board.set("FunctionUnavailable", "f")
    assert board.set("BrokerUnreachable", "b")
    assert not board.set("BrokerUnreachable", "still")
    assert board.current is not None
    assert (board.current.reason, board.current.message) == ("BrokerUnreachable", "still")
    assert board.clear("BrokerUnreachable", "TLSFailed")
    assert not board.clear("BrokerUnreachable")
    assert board.current.reason == "FunctionUnavailable"


def test_the_last_error_stays() -> None:
    board = Board()
    board.note("HandlerFailed", "x" * 1000)
    board.clear("HandlerFailed")
    assert board.last_error is not None
    assert len(board.last_error.message) == 500


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "TopicNotFound"),
        (KafkaError._AUTHENTICATION, "AuthenticationFailed"),
        (KafkaError._SSL, "TLSFailed"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "AuthorizationFailed"),
        (KafkaError._BAD_MSG, "RecordUnreadable"),
        (KafkaError._TRANSPORT, "BrokerUnreachable"),
    ],
)
def test_each_error_has_its_reason(code: int, reason: str) -> None:
    assert errors.reason(code) == reason


def test_lines_that_repeat_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test")
    throttle = Throttle(60)
    for _ in range(3):
        throttle.warn(log, "again")
    assert len(caplog.records) == 1
    repeats = Repeats(60)
    record = logging.makeLogRecord({"msg": "FAIL [a] b"})
    assert [repeats.filter(record), repeats.filter(record)] == [True, False]
