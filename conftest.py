"""The options of a whole run, its processes, and which tests `make test` leaves to `make conformance`: those that
hold the runtimes under strain for minutes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from support import side_by_side

ROOT = Path(__file__).parent
LONG_SECONDS = 60.0
STRAINED = tuple(ROOT / folder for folder in ("tests/conformance", "images/node", "images/ruby"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the long tests of the runtimes")
    # Here, since a run of all tests knows the options of this file only.
    parser.addoption(
        "--where",
        default="",
        help="conformance of the servers as processes, in the cluster, or both",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") == "loadgroup":
        return side_by_side.Groups(config, log)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell where a long run's time went, by folder."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = Path(report.nodeid.partition("::")[0])
                seconds[str(file.parent)] += report.duration
    if sum(seconds.values()) < LONG_SECONDS:
        return
    terminalreporter.section("seconds by folder")
    for folder, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.line(f"{spent:7.0f}  {folder}")
