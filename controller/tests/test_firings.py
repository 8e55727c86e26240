"""How calls went, by the Jobs that are left of them."""

from __future__ import annotations

from typing import Any

from kubeless_controller.observed import firings

Object = dict[str, Any]
CRON_JOB: Object = {"metadata": {"uid": "c", "name": "trigger-hello"}, "status": {}}


def job(
    name: str, condition: str = "", owner: str = "c", at: str = "2021-01-01T10:00:30Z"
) -> Object:
    told = {"type": condition, "status": "True", "lastTransitionTime": at, "message": "backoff"}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": at,
            "ownerReferences": [{"uid": owner}],
        },
        "status": {"conditions": [told] if condition else []},
    }


def pod(job: str, said: str, made: str, **status: Any) -> Object:
    ended = {"terminated": {"exitCode": 1, "message": said, **status.pop("ended", {})}}
    return {
        "metadata": {
            "name": f"{job}-pod",
            "creationTimestamp": made,
            "ownerReferences": [{"uid": f"uid-{job}"}],
        },
        "status": {"phase": "Failed", "containerStatuses": [{"state": ended}], **status},
    }


def test_the_newest_is_the_one_that_was_scheduled_last() -> None:
    jobs = [
        job("trigger-hello-26824921", "Complete"),
        job("trigger-hello-26824920", "Failed"),
        job("foreign", "Failed", owner="other"),
    ]
    known = firings.of(CRON_JOB, jobs, [])
    assert [(firing.at, firing.result) for firing in known] == [
        ("2021-01-01T10:00:00Z", "Failed"),
        ("2021-01-01T10:01:00Z", "Succeeded"),
    ]
    assert firings.newest(known, CRON_JOB, {}) == {
        "lastFiringTime": "2021-01-01T10:01:00Z",
        "lastResult": "Succeeded",
        "lastMessage": None,
    }


def test_a_job_made_by_hand_is_of_when_it_was_made() -> None:
    (firing,) = firings.of(CRON_JOB, [job("by-hand-26824920")], [])
    assert (firing.at, firing.result) == ("2021-01-01T10:00:30Z", "Running")


def test_the_last_pod_that_failed_says_why() -> None:
    pods = [
        pod("a", "second", "2021-01-01T10:02:00Z"),
        pod("a", "first", "2021-01-01T10:01:00Z"),
        pod("b", "another's", "2021-01-01T10:03:00Z"),
    ]
    (failed,) = firings.of(CRON_JOB, [job("a", "Failed")], pods)
    assert failed.message == "second"
    (running,) = firings.of(CRON_JOB, [job("a")], pods)
    assert (running.result, running.message) == ("Running", "an attempt failed: second")
    (silent,) = firings.of(CRON_JOB, [job("a", "Failed")], [])
    assert silent.message == "backoff"


def test_pods_that_could_say_nothing() -> None:
    killed = pod("a", "", "2021-01-01T10:01:00Z", ended={"reason": "OOMKilled"})
    late = pod("b", "", "2021-01-01T10:01:00Z", message="active on the node for too long")
    known = firings.of(CRON_JOB, [job("a", "Failed"), job("b", "Failed")], [killed, late])
    assert {firing.message for firing in known} == {
        "pod a-pod needed more memory than its limit",
        "pod b-pod: active on the node for too long",
    }


def test_a_pod_that_cannot_start_says_why() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    status = {
        "phase": "Pending",
        "containerStatuses": [{"name": "trigger", "image": "x:1", "state": waiting}],
    }
    stuck = {**pod("a", "", "2021-01-01T10:01:00Z"), "status": status}
    (firing,) = firings.of(CRON_JOB, [job("a")], [stuck])
    assert firing.result == "Running"
    assert firing.message == "pod a-pod cannot get the image x:1: no such image"


def test_what_is_known_stays_when_the_job_is_gone() -> None:
    before = {"lastFiringTime": "2021-01-01T10:01:00Z", "lastResult": "Succeeded"}
    assert firings.newest([], CRON_JOB, before) == {}
    older = firings.of(CRON_JOB, [job("trigger-hello-26824920", "Failed")], [])
    assert firings.newest(older, CRON_JOB, before) == {}
    running = {**before, "lastResult": "Running"}
    told = firings.newest([], CRON_JOB, running)
    assert told["lastResult"] is None
    assert "deleted before its end" in told["lastMessage"]
    # Without a history a Job goes with its end, which the CronJob still tells.
    done = {**CRON_JOB, "status": {"lastSuccessfulTime": "2021-01-01T10:01:09Z"}}
    assert firings.newest([], done, running) == {"lastResult": "Succeeded", "lastMessage": None}


def test_failures_are_told_once() -> None:
    jobs = [
        job("trigger-hello-26824921", "Failed", at="2021-01-01T10:05:00Z"),
        job("trigger-hello-26824920", "Failed", at="2021-01-01T10:07:00Z"),
        job("trigger-hello-26824922", "Complete"),
    ]
    known = firings.of(CRON_JOB, jobs, [])
    assert [one.at for one in firings.failed_since(known, "")] == [
        "2021-01-01T10:01:00Z",
        "2021-01-01T10:00:00Z",
    ]
    assert len(firings.failed_since(known, "2021-01-01T10:05:00Z")) == 1
    assert not firings.failed_since(known, "2021-01-01T10:07:00Z")
