"""What the ledger of a run says about delivery.

The producer's acknowledgements say what there was to do, the topic where each record is, the ledger which records were
processed with success, in the order in which that happened, the dead-letter topic what was given up. From these alone:

* lost: neither processed nor a dead letter
* wrongly given up: a dead letter that is no poison
* poison that passed: processed, or not in the dead-letter topic
* out of order: of one key, the first success of a record came after that of a later one
* repeated too often: at some moment a partition had more repetitions than ``max_uncommitted`` for every
  disturbance (a kill, a restart, a rebalance) until then
* unknown: what nobody sent
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN = 5
Place = tuple[int, int]  # partition, offset


@dataclass(frozen=True)
class Content:
    """What tells a record from all others of a run; ``number`` rises within its key."""

    key: str
    number: int
    poison: bool = False


@dataclass(frozen=True)
class Sent:
    """A record that the broker acknowledged, and where it is."""

    partition: int
    offset: int
    key: str
    number: int
    poison: bool = False

    @property
    def place(self) -> Place:
        """Where it is in the topic."""
        return self.partition, self.offset


@dataclass(frozen=True)
class Success:
    """One line of the ledger: a record was processed, at a time of this machine's clock."""

    partition: int
    offset: int
    at: float

    @property
    def place(self) -> Place:
        """Which record."""
        return self.partition, self.offset


@dataclass(frozen=True)
class Verdict:
    """What was found; a run is good when ``violations`` is empty."""

    records: int
    dead_letters: int
    duplicates: int
    dead_letter_duplicates: int
    most_of_a_partition: int
    lost: tuple[Place, ...] = ()
    wrongly_given_up: tuple[Place, ...] = ()
    poison_passed: tuple[Place, ...] = ()
    out_of_order: tuple[Place, ...] = ()
    repeated_too_often: tuple[Place, ...] = ()
    unknown: tuple[Place, ...] = ()

    @property
    def violations(self) -> list[str]:
        """One sentence a kind of violation, with the first places."""
        kinds = (
            "lost",
            "wrongly_given_up",
            "poison_passed",
            "out_of_order",
            "repeated_too_often",
            "unknown",
        )
        said = []
        for kind in kinds:
            places: tuple[Place, ...] = getattr(self, kind)
            if places:
                first = ", ".join(f"{partition}/{offset}" for partition, offset in places[:SHOWN])
                said.append(f"{kind.replace('_', ' ')}: {len(places)}, the first at {first}")
        return said

    def __str__(self) -> str:
        numbers = (
            f"{self.records} records, {self.dead_letters} dead letters, {self.duplicates} duplicates "
            f"(at most {self.most_of_a_partition} in a partition), "
            f"{self.dead_letter_duplicates} duplicates of dead letters"
        )
        return "; ".join([numbers, *(self.violations or ["nothing lost, all in order"])])


def locate(acknowledged: Iterable[Content], topic: Iterable[tuple[Place, Content]]) -> list[Sent]:
    """Find each acknowledged record in ``topic``, which is all that the brokers have of it.

    An acknowledgement does not always say where its record is: a broker that gets a record again, since the one that
    had written it died before it could answer, only says that it has it.

    Raises ValueError for a record that is not in the topic, or is there twice: then not the consumer is at fault.
    """
    places: dict[Content, list[Place]] = {}
    for place, content in topic:
        places.setdefault(content, []).append(place)
    sent = []
    for content in acknowledged:
        found = places.get(content, [])
        name = f"record {content.number} of {content.key}"
        if not found:
            raise ValueError(f"{name} was acknowledged, and the topic does not have it")
        if len(found) > 1:
            where = ", ".join(f"{partition}/{offset}" for partition, offset in found)
            raise ValueError(f"{name} is in the topic {len(found)} times: {where}")
        sent.append(Sent(*found[0], content.key, content.number, content.poison))
    return sent


def judge(
    sent: Iterable[Sent],
    ledger: Sequence[Success],
    dead_letters: Sequence[Place],
    *,
    disturbances: Iterable[float],
    max_uncommitted: int,
) -> Verdict:
    """Compare what was sent with what became of it.

    ``disturbances`` are the times of all kills, restarts and rebalances, by the ledger's clock.
    """
    known = {record.place: record for record in sent}
    given_up = Counter(dead_letters)
    processed = Counter(line.place for line in ledger)
    places = sorted(known)
    repetitions, too_often = _repetitions(ledger, sorted(disturbances), max_uncommitted)
    return Verdict(
        records=len(known),
        dead_letters=len(given_up),
        duplicates=sum(repetitions.values()),
        dead_letter_duplicates=sum(given_up.values()) - len(given_up),
        most_of_a_partition=max(repetitions.values(), default=0),
        lost=tuple(
            place
            for place in places
            if not known[place].poison and place not in processed and place not in given_up
        ),
        wrongly_given_up=tuple(
            place for place in places if place in given_up and not known[place].poison
        ),
        poison_passed=tuple(
            place
            for place in places
            if known[place].poison and (place in processed or place not in given_up)
        ),
        out_of_order=tuple(_out_of_order(known, ledger)),
        repeated_too_often=tuple(too_often),
        unknown=tuple(sorted((processed.keys() | given_up.keys()) - known.keys())),
    )


def _out_of_order(known: dict[Place, Sent], ledger: Sequence[Success]) -> list[Place]:
    """First successes that came after one of a later record of their key."""
    newest: dict[str, int] = {}
    seen: set[Place] = set()
    late = []
    for line in ledger:
        record = known.get(line.place)
        if record is None or line.place in seen:
            continue
        seen.add(line.place)
        if record.number < newest.get(record.key, -1):
            late.append(line.place)
        newest[record.key] = max(record.number, newest.get(record.key, -1))
    return late


def _repetitions(
    ledger: Sequence[Success], disturbances: Sequence[float], max_uncommitted: int
) -> tuple[Counter[int], list[Place]]:
    """How many repetitions each partition had, and those for which there was no reason (left)."""
    seen: set[Place] = set()
    count: Counter[int] = Counter()
    too_often = []
    for line in ledger:
        if line.place not in seen:
            seen.add(line.place)
            continue
        count[line.partition] += 1
        if count[line.partition] > max_uncommitted * bisect_right(disturbances, line.at):
            too_often.append(line.place)
    return count, too_often
