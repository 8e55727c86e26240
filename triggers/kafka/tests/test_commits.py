"""What may be committed, whatever order records are finished in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeless_kafka.commits import Tracker


def test_committed_is_the_low_watermark_of_finished_records() -> None:
    tracker = Tracker(10, committed=True)
    for offset in (10, 11, 12):
        assert tracker.take(offset)
    tracker.finish(11)
    assert tracker.watermark == 10
    assert not tracker.dirty
    tracker.finish(10)
    assert tracker.watermark == 12
    assert tracker.dirty
    tracker.finish(12)
    assert tracker.watermark == 13


def test_gaps_of_compaction_and_transactions_are_passed() -> None:
    tracker = Tracker(0, committed=True)
    for offset in (5, 9, 20):
        tracker.take(offset)
    tracker.finish(5)
    assert tracker.watermark == 6
    tracker.finish(20)
    assert tracker.watermark == 6
    tracker.finish(9)
    assert tracker.watermark == 21


def test_the_window_counts_what_the_broker_has_not_acknowledged() -> None:
    tracker = Tracker(0, committed=True)
    for offset in range(4):
        tracker.take(offset)
        tracker.finish(offset)
    assert (tracker.uncommitted, tracker.due) == (4, 4)
    tracker.acknowledge(3)
    assert (tracker.uncommitted, tracker.due) == (1, 1)
    assert tracker.dirty


def test_a_record_that_comes_again_is_not_taken_twice() -> None:
    tracker = Tracker(5, committed=True)
    assert tracker.take(5)
    assert not tracker.take(5)
    assert not tracker.take(3)
    assert tracker.uncommitted == 1


def test_a_start_that_nobody_knows_is_committed_without_any_record() -> None:
    tracker = Tracker(7, committed=False)
    assert tracker.dirty
    tracker.acknowledge(7)
    assert not tracker.dirty


@pytest.mark.parametrize("offset", [4, 6, 99])
def test_what_is_not_open_is_never_finished(offset: int) -> None:
    tracker = Tracker(5, committed=True)
    tracker.take(5)
    tracker.take(6)
    tracker.finish(6)
    with pytest.raises(ValueError, match="is not open"):
        tracker.finish(offset)
    assert tracker.watermark == 5


@given(
    gaps=st.lists(st.integers(1, 3), min_size=1, max_size=60),
    seed=st.integers(),
    window=st.integers(1, 20),
)
def test_nothing_unfinished_is_ever_committed(gaps: list[int], seed: int, window: int) -> None:
    chance = random.Random(seed)
    offsets = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    tracker = Tracker(0, committed=True)
    coming, open_, finished = list(offsets), [], set()
    acknowledged = 0
    while coming or open_:
        move = chance.random()
        if coming and tracker.uncommitted < window and move < 0.5:
            open_.append(coming.pop(0))
            assert tracker.take(open_[-1])
        elif open_ and move < 0.9:
            one = open_.pop(chance.randrange(len(open_)))
            finished.add(one)
            tracker.finish(one)
        else:
            acknowledged = tracker.watermark
            tracker.acknowledge(acknowledged)
        assert all(one in finished for one in offsets if one < tracker.watermark)
        taken = offsets[: len(offsets) - len(coming)]
        assert tracker.uncommitted == len([one for one in taken if one >= acknowledged])
        assert tracker.uncommitted <= window
        assert tracker.unfinished == len(open_)
    assert tracker.watermark == offsets[-1] + 1
