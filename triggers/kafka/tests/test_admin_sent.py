"""Which dead letters were sent again, as it is kept between two commands."""

from __future__ import annotations

import random

import pytest

from kubeless_kafka.admin.sent import Sent


def again(sent: Sent, low: int = 0) -> Sent:
    """What another command reads of what this one commits."""
    return Sent.read(sent.base, sent.text, low)


def test_in_order_it_is_one_offset() -> None:
    sent = Sent(0)
    for offset in range(5):
        sent.add(offset, offset + 1)
    assert (sent.base, sent.text) == (5, "")
    assert 4 in again(sent)
    assert 5 not in again(sent)


def test_chosen_records_are_remembered_and_join_what_reaches_them() -> None:
    sent = Sent(10)
    sent.add(20, 21)
    sent.add(15, 17)
    assert (sent.base, sent.text) == (10, "sent:5+2,3+1")
    sent = again(sent)
    assert [offset in sent for offset in (9, 10, 15, 16, 17, 20, 21)] == [
        *(True, False, True, True, False, True, False)
    ]
    sent.add(10, 15)
    assert (sent.base, sent.text) == (17, "sent:3+1")
    sent.add(17, 20)
    assert (sent.base, sent.text) == (21, "")


def test_it_is_the_same_as_a_set_of_offsets() -> None:
    chance = random.Random(7)
    for _ in range(200):
        sent, expected = Sent(0), set[int]()
        for _ in range(chance.randrange(1, 15)):
            start = chance.randrange(60)
            end = start + chance.randrange(8)
            sent.add(start, end)
            expected |= set(range(start, end))
            sent = again(sent)
        assert {offset for offset in range(80) if offset in sent} == expected
        assert sent.base not in expected


@pytest.mark.parametrize("text", ["", "nonsense", "sent:", "sent:x+1", "sent:1+", "sent:1"])
def test_a_text_of_somebody_else_is_nothing(text: str) -> None:
    sent = Sent.read(7, text, 0)
    assert (sent.base, sent.text) == (7, "")


def test_what_is_gone_is_done_and_nothing_committed_is_nothing_sent() -> None:
    assert Sent.read(-1001, "", 0).base == 0
    assert Sent.read(-1001, "sent:1+1", 5).base == 5
    assert Sent.read(3, "sent:2+4", 6).base == 9
