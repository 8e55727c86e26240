"""A request to Kafka without a cluster: how the conversation goes, and every way it can end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from kubeless_cli.errors import Failure
from kubeless_cli.kafka_frames import encode
from kubeless_cli.kafka_session import _converse
from kubeless_kube.attachment import STDERR, STDOUT, Attachment
from kubeless_kube.errors import Unreachable

END = encode({"type": "end", "result": {"n": 3}})


class Pod:
    """An attachment whose other side says what it is told, one thing for each exchange."""

    def __init__(self, *says: Any) -> None:
        self.says = list(says)
        self.got: list[bytes] = []

    @property
    def closed(self) -> bool:
        return not self.says

    def exchange(self, data: bytes, patience: float) -> Iterator[tuple[int, bytes]]:
        self.got.append(data)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        yield from said


def converse(pod: Pod, *parts: bytes) -> tuple[Any, list[Any]]:
    heard: list[Any] = []
    result = _converse(
        cast(Attachment, pod), iter(parts), lambda head, bodies: heard.append((head, bodies))
    )
    return result, heard


def test_what_comes_before_the_end_is_heard() -> None:
    item = encode({"type": "item"}, [b"x" * 10, None])
    pod = Pod([(STDOUT, item[:7])], [(STDERR, b"noise"), (STDOUT, item[7:])], [(STDOUT, END)])
    result, heard = converse(pod, b"a", b"b")
    assert result == {"n": 3}
    assert heard == [({"type": "item"}, [b"x" * 10, None])]
    assert pod.got == [b"a", b"b", b""]


def test_an_early_end_stops_the_sending() -> None:
    failed = encode({"type": "end", "error": {"reason": "TopicNotFound", "message": "No topic."}})
    pod = Pod([], [(STDOUT, failed)])
    with pytest.raises(Failure, match=r"^No topic\.$"):
        converse(pod, b"a", b"b", b"c")
    assert pod.got == [b"a", b"b"]


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ([[(STDERR, b"Traceback: boom\n")]], r"ended without an answer: Traceback: boom\."),
        ([[(STDOUT, END[:5])]], r"ended without an answer\."),
        ([[(STDOUT, b"hello\n")]], "answered what can't be read"),
        ([Unreachable("the connection to the pod broke: x")], "may not be done: the connection"),
        ([[], [], []], "has not answered for 300 s"),
    ],
)
def test_what_goes_wrong_is_said(says: list[Any], message: str) -> None:
    with pytest.raises(Failure, match=message):
        converse(Pod(*says), b"request")
