"""Every test over every language, against servers as processes or as Functions of a cluster.

    --languages python,node     or KUBELESS_LANGUAGES; without it: those whose server is here
    --in-cluster                or KUBELESS_CONFORMANCE=cluster: the built images, in the local cluster

A test takes ``shared`` (one server per handler and module) or ``start`` (a server of its own).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.languages import LANGUAGES, Language
from conformance.pods import Cluster, Pod, runtimes
from conformance.server import Server, launch, wait_until_ready

Start = Callable[..., Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--languages", default="", help="languages of the conformance suite")
    parser.addoption("--in-cluster", action="store_true", help="test the images in the cluster")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "process(why): can't be seen from outside of a pod")
    config.addinivalue_line("markers", "each(field): once for each kind of the language's row")


def in_cluster(config: pytest.Config) -> bool:
    given = config.getoption("in_cluster", default=False)
    return bool(given) or os.environ.get("KUBELESS_CONFORMANCE") == "cluster"


def wanted(config: pytest.Config) -> list[Language]:
    """The languages to run over; in the cluster, once for each of their images."""
    languages = _languages(config)
    if not in_cluster(config):
        return languages
    return [replace(one, runtime=runtime) for one in languages for runtime in runtimes(one)]


def _languages(config: pytest.Config) -> list[Language]:
    named = config.getoption("languages", default="") or os.environ.get("KUBELESS_LANGUAGES", "")
    if named:
        names = named.split(",")
        unknown = [name for name in names if name not in LANGUAGES]
        if unknown:
            raise pytest.UsageError(
                f"--languages: found {unknown[0]!r}; expected some of {', '.join(LANGUAGES)}"
            )
        return [LANGUAGES[name] for name in names]
    found = [one for one in LANGUAGES.values() if one.switched_on and one.server.is_dir()]
    if in_cluster(config) or os.environ.get("CI"):
        return found  # one that can't run fails its tests
    return [one for one in found if not one.missing()]


def pytest_report_header(config: pytest.Config) -> str:
    where = "the cluster" if in_cluster(config) else "processes"
    left_out = [
        f"{one.name} ({one.missing() or 'not switched on'})"
        for one in LANGUAGES.values()
        if one.server.is_dir() and one not in _languages(config)
    ]
    without = f"; without {', '.join(left_out)}" if left_out else ""
    return f"conformance: {', '.join(map(str, wanted(config)))} in {where}{without}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "language" not in metafunc.fixturenames:
        return
    languages = wanted(metafunc.config)
    each = metafunc.definition.get_closest_marker("each")
    if each is not None:
        pairs = [
            pytest.param(one, kind, id=f"{one}-{kind}")
            for one in languages
            for field in each.args
            for kind in getattr(one, field)
        ]
        metafunc.parametrize(("language", "kind"), pairs, scope="session")
    else:
        metafunc.parametrize("language", languages, ids=str, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not in_cluster(config):
        return
    for item in items:
        marker = item.get_closest_marker("process")
        if marker is not None:
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster | None]:
    """The local cluster, when the images in it are tested."""
    if not in_cluster(pytestconfig):
        yield None
        return
    with Cluster.connect() as connected:
        yield connected


class Starter:
    """Starts servers of one language, and ends them all."""

    def __init__(self, language: Language, cluster: Cluster | None) -> None:
        self._language = language
        self._cluster = cluster
        self._servers: list[Server | Pod] = []

    def start(self, handler: str, **options: Any) -> Server | Pod:
        """A ready server of one of the suite's handlers; options as of ``launch``."""
        return self.source(self._language.source(handler), **options)

    def source(self, source: str, **options: Any) -> Server | Pod:
        """A ready server of this source."""
        server = self.launch(source, **options)
        if isinstance(server, Server):
            wait_until_ready(server)
        else:
            server.wait_until_ready()
        return server

    def launch(
        self,
        source: str,
        *,
        module: str = "fn",
        handler: str = "handler",
        env: Mapping[str, str | None] | None = None,
        timeout: float = 20,
    ) -> Server | Pod:
        """A server of this source that is not waited for."""
        server: Server | Pod
        if self._cluster is not None:
            server = self._cluster.deploy(
                self._language, source, module=module, handler=handler, env=env, timeout=timeout
            )
        else:
            missing = self._language.missing()
            if missing:
                pytest.fail(f"{self._language.name}: {missing}", pytrace=False)
            files = {f"{module}{self._language.suffix}": source}
            server = launch(
                self._language, files, module=module, handler=handler, env=env, timeout=timeout
            )
        self._servers.append(server)
        return server

    def end(self) -> None:
        """End them all."""
        for server in self._servers:
            server.destroy()


@pytest.fixture
def starter(language: Language, cluster: Cluster | None) -> Iterator[Starter]:
    """Servers of the test's own."""
    servers = Starter(language, cluster)
    yield servers
    servers.end()


@pytest.fixture
def start(starter: Starter) -> Start:
    """``start("echo", env={...}, timeout=1)``: a ready server of the test's own."""
    return starter.start


@pytest.fixture(scope="module")
def shared(language: Language, cluster: Cluster | None) -> Iterator[Start]:
    """``shared("echo", ...)``: the module's server of these options, made at the first call."""
    servers = Starter(language, cluster)
    made: dict[str, Any] = {}

    def find(handler: str, **options: Any) -> Any:
        key = repr((handler, sorted(options.items())))
        if key not in made:
            made[key] = servers.start(handler, **options)
        return made[key]

    yield find
    servers.end()
