"""config.json: what is right is read, what is wrong is said."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kubeless_kafka import config
from kubeless_kafka.config import Batch, ConfigError, Security

GOOD: dict[str, Any] = {
    "version": 1,
    "hash": "0123456789abcdef",
    "namespace": "default",
    "trigger": "orders",
    "bootstrapServers": "kafka.kubeless:9092",
    "topic": "orders",
    "security": {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512"},
    "functions": [
        {
            "name": "hello",
            "url": "http://hello.default.svc:8080",
            "group": "default_orders_hello_orders",
            "timeout": 180.0,
        }
    ],
    "startOffset": "latest",
    "retry": {
        "attempts": 8,
        "initialBackoff": 0.5,
        "maxBackoff": 60.0,
        "statuses": {"404": "Retry", "5xx": "DeadLetter"},
    },
    "deadLetterTopic": "orders.dlq",
    "responseTopic": "",
    "batch": None,
    "maxInFlight": 32,
    "maxUncommitted": 1000,
    "paused": False,
}


def changed(path: str, value: Any) -> str:
    document = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place: Any = document
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[last] = value
    return json.dumps(document)


def test_a_whole_configuration_is_read() -> None:
    found = config.parse(json.dumps(GOOD))
    assert found.security == Security("SASL_SSL", "SCRAM-SHA-512")
    assert found.functions[0].timeout == 180
    assert found.retry.statuses == {"404": "Retry", "5xx": "DeadLetter"}
    assert found.batch is None
    assert config.parse(changed("batch", {"size": 100, "wait": 0.05})).batch == Batch(100, 0.05)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("version", 2, "version: found 2, expected 1"),
        ("topic", "", 'topic: found "", expected a text that is not empty'),
        ("deadLetterTopic", "orders", "deadLetterTopic: found 'orders', the trigger's own topic"),
        ("responseTopic", "orders", "responseTopic: found 'orders', the trigger's own topic"),
        ("security.protocol", "HTTP", 'security.protocol: found "HTTP", expected one of'),
        ("security.mechanism", "", "expected a mechanism with the SASL protocols"),
        ("functions", None, "functions: found nothing, expected a list"),
        ("functions.0.url", "http://a/b", "functions[0].url: found"),
        ("functions.0.timeout", "3", 'functions[0].timeout: found "3", expected a number'),
        ("functions", GOOD["functions"] * 2, "the name 'hello' is there twice"),
        ("retry.attempts", 0, "retry.attempts: found 0, expected an integer of at least 1"),
        ("retry.maxBackoff", 0.1, "retry.maxBackoff: found 0.1, expected at least initialBackoff"),
        ("retry.statuses", {"teapot": "Retry"}, "expected status codes such as 404 or 5xx"),
        ("retry.statuses", {"404": "Drop"}, 'retry.statuses.404: found "Drop", expected one of'),
        ("batch", {"size": 0, "wait": 1}, "batch.size: found 0"),
        ("batch", [], "batch: found [], expected an object"),
        ("maxInFlight", True, "maxInFlight: found true, expected an integer"),
        ("maxUncommitted", 1.5, "maxUncommitted: found 1.5, expected an integer"),
        ("paused", "no", 'paused: found "no", expected true or false'),
    ],
)
def test_what_is_wrong_is_named(path: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(changed(path, value))
    assert said in str(caught.value)


def test_an_answer_to_a_batch_has_no_topic() -> None:
    document = json.loads(changed("responseTopic", "out"))
    document["batch"] = {"size": 2, "wait": 0}
    with pytest.raises(ConfigError, match="expected one of the two"):
        config.parse(json.dumps(document))


def test_no_json_and_no_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not JSON"):
        config.parse("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "config.json")
