"""What the functions of one trigger take of the memory together."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer

from kubeless_kafka import group, room

MIB = 1024 * 1024


def test_a_few_functions_have_all_that_helps() -> None:
    assert [room.payload(functions) // MIB for functions in (0, 1, 4)] == [16, 16, 16]
    assert (room.fetched(1), room.fetch(1)) == (8 * MIB, 4 * MIB)


@pytest.mark.parametrize("functions", [1, 2, 4, 8, 16, 32])
def test_many_share_it(functions: int) -> None:
    each = room.payload(functions) + room.fetched(functions) + room.fetch(functions)
    assert each * functions <= 150 * MIB


def test_each_has_room_for_records_of_the_usual_size() -> None:
    assert (room.payload(1000), room.fetched(1000), room.fetch(1000)) == (2 * MIB, MIB, MIB)


@pytest.mark.parametrize("functions", [1, 7, 1000])
def test_the_client_takes_it(functions: int) -> None:
    Consumer(group.settings("g", functions)).close()
