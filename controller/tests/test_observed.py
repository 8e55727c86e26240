"""From live objects to what the status says, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_controller.observed.drift import drifted
from kubeless_controller.observed.pods import diagnose
from kubeless_controller.observed.rollout import available, newest_replica_set, ready
from kubeless_controller.observed.status import conditions, cut
from kubeless_controller.observed.verdict import Verdict

Object = dict[str, Any]


def pod(*containers: Object, **conditions: str) -> Object:
    return {
        "metadata": {"name": "hello-1"},
        "status": {
            "conditions": [
                {"type": kind, "status": "False", "reason": reason, "message": "0/1 nodes"}
                for kind, reason in conditions.items()
            ],
            "containerStatuses": list(containers),
        },
    }


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    return {"image": "img:1", "state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int, message: str = "", reason: str = "Error") -> Object:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason}}


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (waiting("ImagePullBackOff", "not found"), "ImagePullFailed", "img:1: not found"),
        (waiting("ErrImagePull"), "ImagePullFailed", "ErrImagePull"),
        (waiting("CreateContainerConfigError", "no secret"), "ContainerConfigError", "no secret"),
        (waiting("CrashLoopBackOff", lastState=ended(1, "SyntaxError"), restartCount=2),
         "LoadFailed", "SyntaxError"),
        (waiting("CrashLoopBackOff", lastState=ended(137, "", "OOMKilled"), restartCount=2),
         "OutOfMemory", "raise resources.limits.memory"),
        (waiting("CrashLoopBackOff", lastState=ended(139), restartCount=3), "CrashLooping", "signal 11"),
        ({"state": ended(2, "why")}, "CrashLooping", "exit code 2 (0 restarts): why"),
        ({"state": {"running": {}}, "lastState": ended(1, "ImportError"), "restartCount": 1},
         "LoadFailed", "ImportError"),
        (waiting("ContainerCreating"), "Progressing", "is starting"),
        ({"name": "prepare", "state": ended(1, "log\nSourceUnavailable: http://x: refused")},
         "SourceUnavailable", "http://x: refused"),
        ({"name": "prepare", "state": ended(1, "ChecksumMismatch: spec.checksum: it has")},
         "ChecksumMismatch", "spec.checksum: it has"),
        ({"name": "prepare", "state": ended(1, "Traceback: what")}, "LoadFailed", "Traceback"),
        ({"name": "install", "state": ended(1, "ERROR: No matching distribution")},
         "DependenciesFailed", "No matching distribution"),
        ({"name": "install", "state": ended(2)}, "DependenciesFailed", "exit code 2 and said nothing"),
        ({"name": "install", "state": ended(0)}, "Progressing", "is starting"),
        ({"name": "prepare", "state": ended(0), "lastState": ended(1), "restartCount": 1},
         "Progressing", "is starting"),
        (waiting("CrashLoopBackOff", lastState=ended(0), restartCount=2), "CrashLooping", "exit code 0"),
    ],
)  # fmt: skip
def test_why_a_pod_does_not_serve(status: Object, reason: str, said: str) -> None:
    verdict = diagnose([pod(status)])
    assert verdict is not None
    assert verdict.reason == reason
    assert said in verdict.message


def test_a_pod_without_a_node() -> None:
    verdict = diagnose([pod(PodScheduled="Unschedulable")])
    assert verdict is not None
    assert (verdict.reason, verdict.message) == ("Unschedulable", "pod hello-1: 0/1 nodes")


def test_the_most_telling_pod_speaks() -> None:
    verdict = diagnose([pod(waiting("ContainerCreating")), pod({"state": ended(1, "why")})])
    assert verdict is not None
    assert verdict.reason == "LoadFailed"


def test_pods_that_serve_or_leave_say_nothing() -> None:
    serving = pod()
    serving["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    leaving = pod({"state": ended(1, "why")})
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert diagnose([serving, leaving]) is None


def deployment(
    replicas: int = 1, generation: int = 2, conditions: Any = (), **status: int
) -> Object:
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 2, "conditions": list(conditions), **status},
    }


def test_ready_once_only_the_current_generation_serves() -> None:
    rolling = deployment(replicas=2, updatedReplicas=1, availableReplicas=2, totalReplicas=2)
    assert not ready(rolling | {"status": {**rolling["status"], "replicas": 2}}, []).ok
    done = deployment(replicas=2, updatedReplicas=2, replicas_=0)
    done["status"].update(replicas=2, availableReplicas=1)
    assert ready(done, []) == Verdict(True, "Serving", "1 of 2 pods serving")
    stale = deployment(generation=3)
    assert ready(stale, []).reason == "Progressing"


def test_a_change_of_the_replicas_alone_is_no_rollout() -> None:
    scaled = deployment(replicas=3, generation=3, updatedReplicas=1, availableReplicas=1)
    scaled["status"]["replicas"] = 1
    scaled["metadata"]["annotations"] = {"kubeless.io/applied-hash": "a"}
    same = {"metadata": {"annotations": {"kubeless.io/applied-hash": "a"}}}
    serving = pod()
    serving["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    assert ready(scaled, [serving], same) == Verdict(True, "Serving", "1 of 3 pods serving")
    assert ready(scaled, [pod()], same).reason == "Progressing", "one that was just made"
    older = {"metadata": {"annotations": {"kubeless.io/applied-hash": "before"}}}
    assert ready(scaled, [serving], older).reason == "Progressing"
    assert ready(scaled, [serving], {"metadata": {}}).reason == "Progressing"


def test_ready_without_a_deployment_or_without_replicas() -> None:
    assert ready(None, []).reason == "Progressing"
    assert ready(deployment(replicas=0), []).reason == "ScaledToZero"
    assert available(None).reason == "NoPodsReady"
    assert available(deployment(replicas=0)).reason == "ScaledToZero"
    assert available(deployment(availableReplicas=1)) == Verdict(True, "Serving", "1 pod serving")


@pytest.mark.parametrize(
    ("message", "reason"),
    [("exceeded quota: few", "QuotaExceeded"), ("violates PodSecurity", "PodsForbidden")],
)
def test_pods_that_cannot_be_made(message: str, reason: str) -> None:
    failing = {"type": "ReplicaFailure", "status": "True", "message": message}
    verdict = ready(deployment(conditions=[failing]), [])
    assert verdict.reason == reason
    assert message in verdict.message


def test_a_rollout_that_takes_too_long() -> None:
    late = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "m",
    }
    assert ready(deployment(conditions=[late]), []).reason == "ProgressDeadlineExceeded"


def test_a_transition_is_a_change_of_the_status_only() -> None:
    before = conditions({"Ready": Verdict(False, "A", "a")}, [], 1, "then")
    (same,) = conditions({"Ready": Verdict(False, "B", "b")}, before, 2, "now")
    assert (same["lastTransitionTime"], same["reason"]) == ("then", "B")
    (other,) = conditions({"Ready": Verdict(True, "B", "b")}, before, 2, "now")
    assert (other["lastTransitionTime"], other["observedGeneration"]) == ("now", 2)


def test_long_messages_lose_their_middle() -> None:
    message = cut("first" + "x" * 10_000 + "last")
    assert len(message) <= 4096
    assert message.startswith("first")
    assert message.endswith("last")


@pytest.mark.parametrize(
    ("wanted", "live", "path"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ""),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b"),
        ({"a": {"b": 1}}, {}, "a"),
        ({"a": {}, "b": [], "c": "", "d": False}, {}, ""),
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}, ""),
        ({"limits": {"memory": "1024Mi"}}, {"limits": {"memory": "1Gi"}}, ""),
        ({"limits": {"cpu": 1}}, {"limits": {"cpu": "1"}}, ""),
        ({"limits": {"cpu": "1E3"}}, {"limits": {"cpu": "1k"}}, ""),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}, "limits.cpu"),
        ({"limits": {"cpu": "x"}}, {"limits": {"cpu": "1"}}, "limits.cpu"),
        (
            {"env": [{"name": "A", "value": "1000m"}]},
            {"env": [{"name": "A", "value": "1"}]},
            "env[0].value",
        ),
        ({"env": [{"name": "A"}]}, {"env": [{"name": "X"}, {"name": "A"}]}, ""),
        ({"env": [{"name": "A"}]}, {"env": []}, "env[0]"),
        ({"drop": ["ALL"]}, {"drop": ["ALL", "X"]}, "drop"),
        ({"sizeLimit": "512Mi"}, {"sizeLimit": "0.5Gi"}, ""),
    ],
)
def test_drift(wanted: Object, live: Object, path: str) -> None:
    assert drifted(wanted, live) == path


def test_a_replica_set_of_a_deployment_that_is_gone_is_not_the_newest() -> None:
    def replica_set(owner: str) -> Object:
        return {
            "metadata": {
                "name": owner,
                "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": [{"uid": owner}],
            }
        }

    live = {"metadata": {"uid": "new", "annotations": {"deployment.kubernetes.io/revision": "1"}}}
    found = newest_replica_set(live, [replica_set("old"), replica_set("new")])
    assert found == replica_set("new")
    assert newest_replica_set(live, [replica_set("old")]) is None
