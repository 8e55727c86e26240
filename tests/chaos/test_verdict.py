"""The judge of chaos finds each violation, and none where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.verdict import Content, Place, Sent, Success, Verdict, judge, locate

#: Two keys in one partition and one in another; the record at 0/2 is poison.
SENT = [
    Sent(0, 0, "a", 0),
    Sent(0, 1, "b", 0),
    Sent(0, 2, "a", 1, poison=True),
    Sent(0, 3, "a", 2),
    Sent(1, 0, "c", 0),
]
GOOD = [(0, 1), (0, 0), (1, 0), (0, 3)]


def verdict(
    places: list[Place],
    dead: tuple[Place, ...] = ((0, 2),),
    *,
    disturbances: tuple[float, ...] = (),
    **options: Any,
) -> Verdict:
    """The judgement of a ledger whose n-th line was written n seconds after 100."""
    ledger = [Success(*place, at=100.0 + number) for number, place in enumerate(places)]
    return judge(
        SENT,
        ledger,
        list(dead),
        disturbances=disturbances,
        max_uncommitted=options.pop("max_uncommitted", 1),
    )


def test_a_good_run_has_no_violation() -> None:
    found = verdict(GOOD)
    assert found.violations == []
    assert (found.records, found.dead_letters, found.duplicates) == (5, 1, 0)
    assert str(found).endswith("nothing lost, all in order")


def test_a_record_that_was_never_processed_is_lost() -> None:
    found = verdict([(0, 1), (0, 0), (1, 0)])
    assert found.lost == ((0, 3),)
    assert found.violations == ["lost: 1, the first at 0/3"]


def test_a_good_record_among_the_dead_letters_was_wrongly_given_up() -> None:
    found = verdict([(0, 1), (0, 0), (1, 0)], ((0, 2), (0, 3)))
    assert found.lost == ()
    assert found.wrongly_given_up == ((0, 3),)


def test_a_record_both_processed_and_given_up_was_wrongly_given_up() -> None:
    assert verdict(GOOD, ((0, 2), (1, 0))).wrongly_given_up == ((1, 0),)


def test_poison_that_was_passed_over_is_no_dead_letter() -> None:
    found = verdict(GOOD, ())
    assert found.poison_passed == ((0, 2),)
    assert found.lost == ()


def test_poison_that_was_processed_is_found() -> None:
    assert verdict([*GOOD, (0, 2)]).poison_passed == ((0, 2),)


def test_records_of_one_key_are_processed_in_order() -> None:
    found = verdict([(0, 3), (0, 1), (0, 0), (1, 0)])
    assert found.out_of_order == ((0, 0),)


def test_records_of_different_keys_have_no_order() -> None:
    assert verdict([(1, 0), (0, 0), (0, 3), (0, 1)]).out_of_order == ()


def test_only_the_first_success_of_a_record_counts_for_the_order() -> None:
    found = verdict([*GOOD, (0, 0)], disturbances=(99.0,))
    assert found.out_of_order == ()
    assert found.duplicates == 1


def test_a_repetition_without_a_disturbance_is_too_often() -> None:
    found = verdict([*GOOD, (0, 0)])
    assert found.repeated_too_often == ((0, 0),)


def test_a_disturbance_excuses_only_what_came_after_it() -> None:
    assert verdict([*GOOD, (0, 0)], disturbances=(104.5,)).repeated_too_often == ((0, 0),)
    assert verdict([*GOOD, (0, 0)], disturbances=(103.5,)).repeated_too_often == ()


def test_every_disturbance_excuses_as_many_as_may_be_uncommitted() -> None:
    again = [*GOOD, (0, 0), (0, 3), (0, 1)]
    found = verdict(again, disturbances=(103.0,), max_uncommitted=2)
    assert found.repeated_too_often == ((0, 1),)
    assert (found.duplicates, found.most_of_a_partition) == (3, 3)
    assert verdict(again, disturbances=(103.0, 104.0), max_uncommitted=2).violations == []


def test_partitions_are_counted_apart() -> None:
    again = [*GOOD, (0, 0), (1, 0)]
    found = verdict(again, disturbances=(103.0,), max_uncommitted=1)
    assert found.violations == []
    assert (found.duplicates, found.most_of_a_partition) == (2, 1)


def test_a_dead_letter_written_twice_is_counted_and_no_violation() -> None:
    found = verdict(GOOD, ((0, 2), (0, 2)))
    assert found.violations == []
    assert (found.dead_letters, found.dead_letter_duplicates) == (1, 1)


def test_what_nobody_sent_is_unknown() -> None:
    assert verdict([*GOOD, (7, 7)]).unknown == ((7, 7),)
    assert verdict(GOOD, ((0, 2), (8, 8))).unknown == ((8, 8),)


#: The same records as SENT, as the topic has them, in whatever order its partitions are read.
TOPIC = [(record.place, Content(record.key, record.number, record.poison)) for record in SENT[::-1]]
ACKNOWLEDGED = [Content(record.key, record.number, record.poison) for record in SENT]


def test_the_topic_says_where_each_acknowledged_record_is() -> None:
    assert locate(ACKNOWLEDGED, TOPIC) == SENT


def test_an_acknowledged_record_that_the_topic_lacks_is_no_run_to_judge() -> None:
    with pytest.raises(ValueError, match="record 2 of a was acknowledged, and the topic does"):
        locate(ACKNOWLEDGED, [entry for entry in TOPIC if entry[0] != (0, 3)])


def test_a_record_that_the_brokers_have_twice_is_no_run_to_judge() -> None:
    with pytest.raises(ValueError, match="record 0 of c is in the topic 2 times: 1/0, 1/1"):
        locate(ACKNOWLEDGED, [*TOPIC, ((1, 1), Content("c", 0))])


def test_what_was_never_acknowledged_stays_unknown() -> None:
    topic = [*TOPIC, ((0, 4), Content("a", 3))]
    sent = locate(ACKNOWLEDGED, topic)
    assert sent == SENT
    ledger = [Success(0, 4, at=1.0)]
    found = judge(sent, ledger, [], disturbances=[], max_uncommitted=1)
    assert found.unknown == ((0, 4),)
