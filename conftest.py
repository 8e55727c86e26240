"""The options of a whole run, which tests `make test` leaves to `make conformance` (those that hold the runtimes
under strain for minutes), and which of them run side by side."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
LONG_SECONDS = 60.0
#: One installation in one cluster serves all of these, and some take it down: never two at once.
CLUSTER = tuple(ROOT / folder for folder in ("tests/e2e", "tests/chaos", "tests/cluster"))
CONTROL_PLANE = ROOT / "tests/apiserver"
STRAINED = tuple(ROOT / folder for folder in ("tests/conformance", "images/node", "images/ruby"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the long tests of the runtimes")
    # Here, since a run of all tests knows the options of this file only.
    parser.addoption(
        "--where",
        default="",
        help="conformance of the servers as processes, in the cluster, or both",
    )


@pytest.hookimpl(tryfirst=True)  # before xdist reads what group each is in
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("dist", "no") == "loadgroup":
        _side_by_side(items)
    if not config.getoption("--long"):
        _leave_out_strained(config, items)


def _side_by_side(items: list[pytest.Item]) -> None:
    """Groups for two processes, the longest first; most tests wait, for pods or a controller, most of their time."""
    order = {"cluster": 0, "control plane": 1}
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: order.get(groups[item], len(order)))


def _group(item: pytest.Item) -> str:
    """What a test must have to itself: the cluster, a control plane without nodes, or the fixtures of its file."""
    call = getattr(item, "callspec", None)
    # Of the conformance suite: a language as an image, not as a process of this host.
    in_pods = call is not None and getattr(call.params.get("language"), "runtime", "")
    if in_pods or any(folder in item.path.parents for folder in CLUSTER):
        return "cluster"
    if CONTROL_PLANE in item.path.parents:
        return "control plane"
    return str(item.path.relative_to(ROOT))


def _leave_out_strained(config: pytest.Config, items: list[pytest.Item]) -> None:
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
