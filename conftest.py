"""The options of a whole run, its processes, and which tests `make test` leaves to `make soak`: those that hold the
runtimes under strain for minutes."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from support import side_by_side
from support.side_by_side import Kind
from support.usage import Meter, Usage

ROOT = Path(__file__).parent
# What lasts as long as a run of several processes, in the one that reports.
_run = contextlib.ExitStack()
STRAINED = tuple(ROOT / folder for folder in ("tests/conformance", "images/node", "images/ruby"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the long tests of the runtimes")
    # Here, since a run of all tests knows the options of this file only.
    parser.addoption(
        "--where",
        default="",
        help="conformance of the servers as processes, in the cluster, or both",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Meter())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Usage(_uses_cluster))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """The cluster goes after the last process that has used it, and not when one waits for the others."""
    yield
    try:
        _run.close()
    except Exception as error:  # noqa: BLE001  (what failed before shall be told all the same)
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"the local cluster could not be left as it was: {error}", red=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.getoption("dist", "no") == "loadgroup":
        # Late, since runs without a cluster need none of it.
        from support.local_cluster import kept

        _run.enter_context(kept())


def _uses_cluster(node: str) -> bool:
    return side_by_side.kind(node) in (Kind.CLUSTER, Kind.LAST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") == "loadgroup":
        return side_by_side.Groups(config, log)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: side_by_side.rank(item.nodeid))
    if config.getoption("--long"):
        return
    long = [
        item
        for item in items
        if item.get_closest_marker("slow")
        and any(folder in item.path.parents for folder in STRAINED)
    ]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
