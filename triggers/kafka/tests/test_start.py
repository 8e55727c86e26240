"""From where a partition is read."""

from __future__ import annotations

from kubeless_kafka.start import Birth, Committed, birth, decide, most_telling

BORN = Birth(3, 1700000000000)
KNOWN = {0: Committed(41, BORN.metadata)}


def kind(
    partition: int, committed: dict[int, Committed], wanted: str, missing: bool = False
) -> str:
    return decide(partition, committed, wanted, topic_was_missing=missing).kind


def test_what_is_committed_goes_before_everything() -> None:
    found = decide(0, KNOWN, "earliest", topic_was_missing=True)
    assert (found.kind, found.offset) == ("committed", 41)


def test_a_new_group_begins_as_the_trigger_says() -> None:
    assert kind(0, {}, "latest") == "latest"
    assert kind(0, {}, "earliest") == "earliest"


def test_a_topic_that_was_missing_is_read_from_its_start() -> None:
    assert kind(0, {}, "latest", missing=True) == "earliest"


def test_a_partition_that_was_added_later_is_read_from_its_start() -> None:
    assert kind(3, KNOWN, "latest") == "earliest"


def test_a_partition_that_was_there_when_the_group_began_is_read_from_then_on() -> None:
    found = decide(2, KNOWN, "latest", topic_was_missing=False)
    assert (found.kind, found.time, found.status) == ("time", BORN.time, "latest")


def test_offsets_of_others_tell_no_birth_and_nothing_is_skipped() -> None:
    assert kind(1, {0: Committed(41, "")}, "latest") == "earliest"


def test_the_birth_is_kept_in_the_metadata() -> None:
    assert birth({0: Committed(1, ""), 1: Committed(2, BORN.metadata)}) == BORN
    assert birth({0: Committed(1, "kubeless/9 what")}) is None


def test_the_most_telling_start_is_told() -> None:
    assert most_telling({"committed", "latest", "earliest"}) == "earliest"
    assert most_telling({"committed", "latest"}) == "latest"
    assert most_telling(set()) is None
