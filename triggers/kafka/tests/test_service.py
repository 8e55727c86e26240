"""The configuration is followed while the consumer runs; here without any broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from kubeless_kafka import brokers, server, service
from kubeless_kafka.service import Options, Service

CONFIG: dict[str, Any] = {
    "version": 1,
    "hash": "one",
    "namespace": "default",
    "trigger": "orders",
    "bootstrapServers": "127.0.0.1:1",
    "topic": "orders",
    "security": {"protocol": "PLAINTEXT", "mechanism": ""},
    "functions": [{"name": "a", "url": "http://a:1", "group": "ga", "timeout": 1}],
    "startOffset": "latest",
    "retry": {"attempts": 8, "initialBackoff": 0.5, "maxBackoff": 60, "statuses": {}},
    "deadLetterTopic": "orders.dlq",
    "responseTopic": "",
    "batch": None,
    "maxInFlight": 32,
    "maxUncommitted": 1000,
    "paused": False,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers here: there is nothing to wait for."""
    monkeypatch.setattr(brokers, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.02)


class Place:
    """A running service and its configuration file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.json"
        self.auth = folder / "auth"
        self.auth.mkdir()
        self.service = Service(Options(self.path, self.auth, folder / "tls", "pod-1", {}))

    def write(self, **changes: Any) -> None:
        self.put(json.dumps({**CONFIG, **changes}))

    def put(self, text: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.replace(self.path)

    async def until(self, true: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not true(self.service.status()):
            assert asyncio.get_running_loop().time() < deadline, self.service.status()
            await asyncio.sleep(0.02)


def run(folder: Path, test: Callable[[Place], Awaitable[None]]) -> None:
    async def whole() -> None:
        place, stop = Place(folder), asyncio.Event()
        running = asyncio.create_task(place.service.run(stop))
        try:
            await test(place)
        finally:
            stop.set()
            await running
        assert place.service.status()["functions"] == []

    asyncio.run(whole())


def test_functions_come_and_go_without_disturbing_the_others(tmp_path: Path) -> None:
    both = [*CONFIG["functions"], {"name": "b", "url": "http://b:1", "group": "gb", "timeout": 1}]

    async def test(place: Place) -> None:
        place.write()
        await place.until(lambda found: found["configHash"] == "one")
        kept = place.service._workers["a", "ga"]
        place.write(hash="two", functions=both, maxInFlight=5)
        await place.until(lambda found: len(found["functions"]) == 2)
        assert place.service._workers["a", "ga"] is kept
        assert kept.config.max_in_flight == 5
        place.write(hash="three", functions=both[1:])
        await place.until(lambda found: [one["name"] for one in found["functions"]] == ["b"])

    run(tmp_path, test)


def test_the_last_good_configuration_goes_on(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.until(lambda found: found["problem"] is not None)
        assert place.service.status()["state"] == "Starting"
        assert "cannot be read" in place.service.unready
        place.write()
        await place.until(lambda found: found["state"] == "Running" and not found["problem"])
        place.put("{")
        await place.until(lambda found: found["problem"] is not None)
        found = place.service.status()
        assert (found["problem"]["reason"], found["configHash"]) == ("ConfigInvalid", "one")
        assert len(found["functions"]) == 1
        assert place.service.unready == ""
        place.write(hash="two", paused=True)
        await place.until(lambda found: found["state"] == "Paused" and not found["problem"])

    run(tmp_path, test)


def test_what_changes_the_connection_makes_new_clients(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        place.write()
        await place.until(lambda found: found["configHash"] == "one")
        first = place.service._workers["a", "ga"]
        (place.auth / "password").write_text("changed")
        await place.until(lambda _: place.service._workers.get(("a", "ga")) not in (None, first))
        second = place.service._workers["a", "ga"]
        place.write(hash="two", topic="others")
        await place.until(lambda _: place.service._workers.get(("a", "ga")) not in (None, second))

    run(tmp_path, test)


def test_what_holds_a_function_up_is_told(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        place.write()
        await place.until(
            lambda found: bool(found["functions"] and found["functions"][0]["problem"])
        )
        assert place.service.status()["functions"][0]["problem"]["reason"] == "BrokerUnreachable"
        place.write(hash="two", security={"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN"})
        await place.until(
            lambda found: bool(
                found["functions"]
                and found["functions"][0]["problem"]
                and found["functions"][0]["problem"]["reason"] == "AuthenticationFailed"
            )
        )

    run(tmp_path, test)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/status", "/metrics"])
def test_what_is_served(tmp_path: Path, path: str) -> None:
    async def test(place: Place) -> None:
        place.write()
        await place.until(lambda found: found["configHash"] == "one")
        runner = await server.start(place.service, 0)
        port = next(one[1] for one in runner.addresses if one[0] == "0.0.0.0")
        async with (
            ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}{path}") as answer,
        ):
            assert answer.status == 200
            text = await answer.text()
        await runner.cleanup()
        if path == "/status":
            assert json.loads(text)["pod"] == "pod-1"
        if path == "/metrics":
            assert "kubeless_kafka_in_flight" in text

    run(tmp_path, test)
