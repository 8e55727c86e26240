"""Which events a new status is worth."""

from __future__ import annotations

from typing import Any

from kubeless_controller.observed.status import conditions
from kubeless_controller.observed.transitions import News, transitions
from kubeless_controller.observed.verdict import Verdict

VALID = Verdict(True, "Valid", "the function can be built")
SERVING = Verdict(True, "Serving", "1 of 1 pods serving")
PROGRESSING = Verdict(False, "Progressing", "starting")
NO_PODS = Verdict(False, "NoPodsReady", "no pod serves")
BROKEN = Verdict(False, "LoadFailed", "SyntaxError")


def verdicts(
    ready: Verdict, available: Verdict = SERVING, accepted: Verdict = VALID
) -> dict[str, Verdict]:
    return {"Accepted": accepted, "Available": available, "Ready": ready}


def written(before: dict[str, Verdict]) -> list[dict[str, Any]]:
    return conditions(before, [], 1, "2026-01-01T00:00:00Z")


def told(now: dict[str, Verdict], before: dict[str, Verdict] | None, alias: str = "") -> list[News]:
    return transitions(now, written(before) if before else [], alias)


def test_a_function_that_comes_up_tells_that_it_is_ready() -> None:
    assert told(verdicts(PROGRESSING, NO_PODS), None) == []
    up = told(verdicts(SERVING), verdicts(PROGRESSING, NO_PODS))
    assert up == [News("Normal", "Ready", "1 of 1 pods serving")]
    assert told(verdicts(SERVING), verdicts(SERVING)) == []


def test_other_words_for_the_same_are_no_news() -> None:
    other = Verdict(False, "LoadFailed", "SyntaxError, of another pod")
    assert told(verdicts(other), verdicts(BROKEN)) == []


def test_a_failure_is_told_once_whatever_conditions_say_it() -> None:
    wrong = Verdict(False, "InvalidSpec", "spec.deps: ...")
    assert told(verdicts(wrong, SERVING, wrong), verdicts(SERVING)) == [
        News("Warning", "InvalidSpec", "spec.deps: ...")
    ]


def test_the_last_pod_that_goes_is_told() -> None:
    assert told(verdicts(BROKEN, NO_PODS), verdicts(SERVING)) == [
        News("Warning", "NoPodsReady", "no pod serves"),
        News("Warning", "LoadFailed", "SyntaxError"),
    ]


def test_scaling_to_zero_is_no_failure() -> None:
    zero = Verdict(False, "ScaledToZero", "the function is scaled to 0 pods")
    assert told(verdicts(zero, zero), verdicts(SERVING)) == [
        News("Normal", "ScaledToZero", "the function is scaled to 0 pods")
    ]


def test_an_alias_is_told_once() -> None:
    alias = "runtime python3.7 is run by python3.13"
    known = Verdict(True, "Valid", f"the function can be built; {alias}")
    first = told(verdicts(PROGRESSING, accepted=known), None, alias)
    assert first == [News("Normal", "RuntimeAlias", alias)]
    assert told(verdicts(SERVING, accepted=known), verdicts(SERVING, accepted=known), alias) == []


def test_a_trigger_tells_its_refusal_once_and_not_that_a_gateway_is_still_at_it() -> None:
    taken = Verdict(False, "RouteTaken", "another has it")
    refused = {
        "Accepted": taken,
        "Programmed": Verdict(False, "NotAccepted", "see Accepted"),
        "Ready": taken,
    }
    (news,) = transitions(refused, [], "")
    assert (news.kind, news.reason) == ("Warning", "RouteTaken")
    waiting = Verdict(False, "Pending", "not yet")
    new = {"Accepted": Verdict(True, "Valid", ""), "Programmed": waiting, "Ready": waiting}
    assert transitions(new, [], "") == []
    served = [{"type": kind, "status": "True", "reason": "Routed"} for kind in new]
    (news,) = transitions(new, [*served[1:], {**served[0], "reason": "Valid"}], "")
    assert (news.kind, news.reason) == ("Warning", "Pending")
