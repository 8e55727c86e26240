"""When polling stops, and when partitions are paused."""

from __future__ import annotations

from kubeless_kafka.gate import HIGH_RECORDS, Gate, Load

EMPTY = Load(0, 0)
FULL = Load(HIGH_RECORDS, 1)
ROOM = 1000


def test_a_short_back_pressure_pauses_nothing() -> None:
    gate = Gate(1.0)
    assert gate.decide(0.0, {0: FULL, 1: EMPTY}, ROOM, "").hold
    decision = gate.decide(0.9, {0: FULL, 1: EMPTY}, ROOM, "")
    assert (decision.hold, dict(decision.paused)) == (True, {})
    assert not gate.decide(0.95, {0: EMPTY, 1: EMPTY}, ROOM, "").hold


def test_a_partition_that_stays_full_is_paused_and_the_others_go_on() -> None:
    gate = Gate(1.0)
    gate.decide(0.0, {0: FULL, 1: EMPTY}, ROOM, "")
    decision = gate.decide(1.0, {0: FULL, 1: EMPTY}, ROOM, "")
    assert not decision.hold
    assert list(decision.paused) == [0]


def test_a_paused_partition_goes_on_when_half_is_done() -> None:
    gate = Gate(1.0)
    gate.decide(0.0, {0: FULL}, ROOM, "")
    gate.decide(1.0, {0: FULL}, ROOM, "")
    assert gate.decide(2.0, {0: Load(HIGH_RECORDS // 2, 1)}, ROOM, "").paused
    assert not gate.decide(3.0, {0: Load(HIGH_RECORDS // 2 - 1, 1)}, ROOM, "").paused


def test_polling_goes_on_while_everything_is_stopped() -> None:
    decision = Gate(1.0).decide(0.0, {0: FULL, 1: EMPTY}, ROOM, "the trigger is paused")
    assert not decision.hold
    assert dict(decision.paused) == dict.fromkeys((0, 1), "the trigger is paused")


def test_large_records_are_bounded_by_their_bytes() -> None:
    gate = Gate(1.0)
    loads = {0: Load(3, ROOM), 1: EMPTY}
    assert gate.decide(0.0, loads, ROOM, "").hold
    assert list(gate.decide(1.0, loads, ROOM, "").paused) == [0]


def test_less_room_is_full_sooner() -> None:
    gate = Gate(1.0)
    loads = {0: Load(3, ROOM // 2)}
    assert not gate.decide(0.0, loads, ROOM, "").hold
    assert gate.decide(0.5, loads, ROOM // 2, "").hold


def test_a_partition_that_is_gone_is_forgotten() -> None:
    gate = Gate(1.0)
    gate.decide(0.0, {0: FULL}, ROOM, "")
    gate.decide(0.5, {}, ROOM, "")
    assert gate.decide(1.5, {0: FULL}, ROOM, "").hold
