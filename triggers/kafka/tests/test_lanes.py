"""Order by key, and what shares a call."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from kubeless_kafka.lanes import Item, Lanes
from kubeless_kafka.record import Record

MANY = 1 << 30


def record(offset: int, key: bytes | None, size: int = 1) -> Record:
    return Record("t", 0, offset, 0, key, b"", (), size)


def filled(*keys: bytes | None) -> Lanes:
    lanes = Lanes()
    for offset, key in enumerate(keys):
        lanes.add(Item(record(offset, key)))
    return lanes


def offsets(taken: list) -> list[int]:  # type: ignore[type-arg]
    return [item.record.offset for _, items in taken for item in items]


def test_records_of_one_key_go_one_after_the_other() -> None:
    lanes = filled(b"a", b"a", b"b")
    first = lanes.take(1, MANY)
    assert offsets(first) == [0]
    assert offsets(lanes.take(1, MANY)) == [2]
    assert lanes.take(1, MANY) == []
    lanes.release(first[0][0])
    assert offsets(lanes.take(1, MANY)) == [1]


def test_records_without_a_key_go_side_by_side() -> None:
    lanes = filled(None, None, None)
    assert [offsets(lanes.take(1, MANY)) for _ in range(3)] == [[0], [1], [2]]


def test_a_key_that_rests_holds_up_no_other() -> None:
    lanes = filled(b"a", b"b", b"a")
    ((lane, items),) = lanes.take(1, MANY)
    lanes.put_back(lane, items)
    assert offsets(lanes.take(1, MANY)) == [1]
    assert lanes.ready == 0
    lanes.wake(lane)
    assert lanes.ready == 2
    assert offsets(lanes.take(1, MANY)) == [0]


def test_a_batch_takes_several_of_a_key_in_order_and_keeps_the_key_for_itself() -> None:
    lanes = filled(b"a", b"a", b"b", b"a")
    assert offsets(lanes.take(3, MANY)) == [0, 1, 3]
    assert offsets(lanes.take(3, MANY)) == [2]
    assert lanes.take(3, MANY) == []


def test_a_capped_record_is_in_no_larger_batch() -> None:
    lanes = filled(b"a", b"b", b"c")
    ((lane, items),) = lanes.take(1, MANY)
    items[0].cap = 1
    lanes.put_back(lane, items)
    lanes.wake(lane)
    assert offsets(lanes.take(3, MANY)) == [0]
    assert offsets(lanes.take(3, MANY)) == [1, 2]


def test_a_batch_is_bounded_in_bytes_but_never_empty() -> None:
    lanes = Lanes()
    for offset in range(3):
        lanes.add(Item(record(offset, None, size=60)))
    assert offsets(lanes.take(3, 100)) == [0]
    assert offsets(lanes.take(3, 120)) == [1, 2]


def test_what_is_newer_is_forgotten_and_the_rest_still_goes() -> None:
    lanes = filled(b"a", b"a", b"b", None, b"a", None)
    ((lane, _),) = lanes.take(1, MANY)
    lanes.keep_up_to(3)
    assert offsets(lanes.take(1, MANY)) == [2]
    assert offsets(lanes.take(1, MANY)) == [3]
    assert lanes.take(1, MANY) == []
    lanes.release(lane)
    assert offsets(lanes.take(5, MANY)) == [1]
    assert lanes.ready == 0


@given(
    keys=st.lists(st.sampled_from([None, b"a", b"b", b"c"]), max_size=60),
    size=st.integers(1, 5),
    seed=st.integers(),
)
def test_every_record_goes_once_and_each_key_in_order(
    keys: list[bytes | None], size: int, seed: int
) -> None:
    chance = random.Random(seed)
    lanes, coming = Lanes(), list(enumerate(keys))
    away: list = []  # type: ignore[type-arg]
    resting: list = []  # type: ignore[type-arg]
    done: list[int] = []
    while coming or away or resting or lanes.ready:
        move = chance.random()
        if coming and move < 0.4:
            offset, key = coming.pop(0)
            lanes.add(Item(record(offset, key)))
        elif move < 0.6:
            away += lanes.take(size, MANY)
        elif away and move < 0.8:
            lane, items = away.pop(chance.randrange(len(away)))
            done += [item.record.offset for item in items]
            lanes.release(lane)
        elif away and move < 0.9:
            lane, items = away.pop(chance.randrange(len(away)))
            lanes.put_back(lane, items)
            resting.append(lane)
        elif resting:
            lanes.wake(resting.pop())
        busy = [lane.key for lane, _ in away if lane.key is not None]
        assert len(busy) == len(set(busy))
    assert sorted(done) == list(range(len(keys)))
    for key in {key for key in keys if key is not None}:
        mine = [offset for offset in done if keys[offset] == key]
        assert mine == sorted(mine)
