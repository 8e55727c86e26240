"""The KafkaTrigger that flags ask for, and what flags are refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from kubeless_api import kafka_trigger as api
from kubeless_cli.app import root
from kubeless_cli.errors import Failure
from kubeless_cli.kafka_trigger import (
    KafkaWish,
    change,
    refuse_to_delete_what_comes_back,
)
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.selector import parse, show
from kubeless_cli.trigger import empty

Object = dict[str, Any]

NEEDED = ["--trigger-topic", "orders", "--function-selector", "function=hello"]
SPEC = {"topic": "orders", "functionSelector": {"matchLabels": {"function": "hello"}}}


def create(*flags: str) -> Any:
    return CliRunner().invoke(root, ["trigger", "kafka", "create", "t", *flags, "--dryrun"])


def spec(*flags: str) -> Object:
    done = create(*NEEDED, *flags)
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load(done.stdout)
    # What is printed is what the controller takes.
    manifest["metadata"] |= {"namespace": "default", "uid": "u"}
    api.parse(manifest, {"bootstrapServers": "kafka:9092"})
    found: Object = manifest["spec"]
    return found


def test_the_flags_of_the_original() -> None:
    assert spec() == SPEC


def test_every_flag_has_its_field() -> None:
    flags = {
        "--bootstrap-servers": "a:9092, b:9093",
        "--auth-secret": "creds",
        "--auth-mechanism": "scram-sha-256",
        "--tls-secret": "ca",
        "--group": "mine",
        "--start-offset": "earliest",
        "--attempts": "3",
        "--initial-backoff": "250ms",
        "--max-backoff": "10",
        "--on-status": "404=Retry,5xx=DeadLetter",
        "--dead-letter-topic": "dead",
        "--response-topic": "answers",
        "--max-in-flight": "8",
        "--max-uncommitted": "50",
        "--replicas": "0",
    }
    given = [part for pair in flags.items() for part in pair]
    assert spec(*given, "--paused") == SPEC | {
        "bootstrapServers": "a:9092,b:9093",
        "auth": {"secretRef": {"name": "creds"}, "mechanism": "SCRAM-SHA-256"},
        "tls": {"enabled": True, "secretRef": {"name": "ca"}},
        "consumerGroup": "mine",
        "startOffset": "earliest",
        "retry": {
            "attempts": 3,
            "initialBackoff": "250ms",
            "maxBackoff": "10s",
            "statuses": {"404": "Retry", "5xx": "DeadLetter"},
        },
        "deadLetterTopic": "dead",
        "responseTopic": "answers",
        "maxInFlight": 8,
        "maxUncommitted": 50,
        "replicas": 0,
        "paused": True,
    }


def test_a_batch() -> None:
    wanted = SPEC | {"batch": {"size": 100, "wait": "0.5s"}}
    assert spec("--batch-size", "100", "--batch-wait", "0.5s") == wanted


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], "Missing option '--trigger-topic'"),
        (["--trigger-topic", "a b"], "'a b' can't be the name: expected 1 to 249 letters"),
        (["--trigger-topic", ""], "'' can't be the name"),
        ([*NEEDED, "--function-selector", "a in b"], "is no selector at 'a in b'"),
        ([*NEEDED, "--function-selector", ""], "selects nothing"),
        ([*NEEDED, "--bootstrap-servers", "kafka"], "'kafka' is not 'host:port'"),
        ([*NEEDED, "--auth-mechanism", "GSSAPI"], "'GSSAPI' is none of PLAIN, SCRAM-SHA-256"),
        ([*NEEDED, "--auth-secret", "A"], "'A' is not an object name"),
        ([*NEEDED, "--start-offset", "5"], "'5' is none of latest, earliest"),
        ([*NEEDED, "--attempts", "0"], "'0' is not a number from 1 to 1000"),
        ([*NEEDED, "--attempts", "x"], "'x' is not a number"),
        ([*NEEDED, "--max-backoff", "2d"], "'2d' is not a duration from 0.001 to 3600 seconds"),
        ([*NEEDED, "--on-status", "700=Retry"], "'700' is not a status"),
        ([*NEEDED, "--on-status", "404=Drop"], "'Drop' is no outcome of 404"),
        ([*NEEDED, "--batch-wait", "1s"], "--batch-wait needs a --batch-size"),
        ([*NEEDED, "--replicas", "-1"], "'-1' is not a number from 0"),
        ([*NEEDED, "--no-tls", "--tls-secret", "ca"], "exclude each other"),
    ],
)
def test_a_wrong_flag_says_what_is_expected(flags: list[str], says: str) -> None:
    done = create(*flags)
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())


def trigger(**fields: Any) -> Object:
    return empty(KAFKA_TRIGGER, "t", "default") | {"spec": {**SPEC, **fields}}


def test_an_empty_value_takes_away() -> None:
    present = trigger(
        auth={"secretRef": {"name": "s"}, "mechanism": "PLAIN"},
        tls={"enabled": True, "secretRef": {"name": "ca"}},
        retry={"attempts": 3, "statuses": {"404": "Retry"}},
        batch={"size": 5, "wait": "1s"},
        deadLetterTopic="d",
        paused=True,
    )
    wish = KafkaWish(
        auth_secret="",
        auth_mechanism="",
        tls=False,
        attempts="",
        batch_size="",
        dead_letter_topic="",
        paused=False,
    )
    assert change(present, wish)["spec"] == SPEC | {
        "tls": {"enabled": False},
        "retry": {"statuses": {"404": "Retry"}},
    }
    assert present["spec"]["paused"] is True


def test_what_a_function_decides_stays() -> None:
    owned = trigger()
    reference = {"apiVersion": "kubeless.io/v1beta1", "kind": "Function", "name": "f"}
    owned["metadata"]["ownerReferences"] = [reference]
    with pytest.raises(Failure, match="has the topic of function f"):
        change(owned, KafkaWish(trigger_topic="other"))
    with pytest.raises(Failure, match="calls nothing else"):
        change(owned, KafkaWish(function_selector={"matchLabels": {"function": "g"}}))
    with pytest.raises(Failure, match="would come back; nothing was deleted"):
        refuse_to_delete_what_comes_back(owned)
    assert change(owned, KafkaWish(replicas=3))["spec"]["replicas"] == 3
    refuse_to_delete_what_comes_back(trigger())


@pytest.mark.parametrize(
    "text",
    [
        "created-by=kubeless,function=hello",
        "app=shop,tier in (back,front)",
        "a,!b,c notin (d,e)",
        "kubeless.io/x=",
    ],
)
def test_a_selector_is_shown_as_it_was_given(text: str) -> None:
    assert show({"functionSelector": parse(text)}) == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a==b", {"matchLabels": {"a": "b"}}),
        (
            " a = b , c ",
            {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]},
        ),
        ("a!=b", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}),
    ],
)
def test_other_spellings_of_a_selector(text: str, meant: Object) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    "text", [",", "a=b,,", "a=b=c", "a in ()x", "=b", "a=b,a=c", "a b", "a=%", "-=b", "()"]
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|is not a"):
        parse(text)
