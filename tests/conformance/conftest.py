"""Every test over every language, against servers as processes and as Functions of a cluster.

    --languages python,node     or KUBELESS_LANGUAGES; without it: those whose server is here
    --where cluster             or KUBELESS_CONFORMANCE: processes (default), cluster, both

A test takes ``shared`` (one server per handler and options) or ``start`` (a server of its own).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.languages import LANGUAGES, Language
from conformance.pods import Images, Pod, runtimes
from conformance.server import Server, launch, wait_until_ready
from kubeless_kube.client import Client
from support.namespace_pool import Pool

Start = Callable[..., Any]
PLACES = ("processes", "cluster", "both")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--languages", default="", help="languages of the conformance suite")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "process(why): can't be seen from outside of a pod")
    config.addinivalue_line("markers", "pod: about the image in its pod, not about a process")
    config.addinivalue_line("markers", "core: in every image, not only in a language's main one")
    config.addinivalue_line("markers", "each(field): once for each kind of the language's row")


def places(config: pytest.Config) -> set[str]:
    """Where to run: ``processes``, ``cluster`` or both of them."""
    given = config.getoption("where", default="") or os.environ.get("KUBELESS_CONFORMANCE", "")
    if given and given not in PLACES:
        raise pytest.UsageError(f"--where: found {given!r}; expected {', '.join(PLACES)}")
    return {"processes", "cluster"} if given == "both" else {given or "processes"}


def wanted(config: pytest.Config) -> list[Language]:
    """The languages to run over: as processes, and once for each of their images."""
    languages = _languages(config)
    found = languages if "processes" in places(config) else []
    if "cluster" in places(config):
        images = [replace(one, runtime=runtime) for one in languages for runtime in runtimes(one)]
        found = found + images
    return found


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
    if "cluster" in places(config) or os.environ.get("CI"):
        return found  # one that can't run fails its tests
    return [one for one in found if not one.missing()]


def pytest_report_header(config: pytest.Config) -> str:
    left_out = [
        f"{one.name} ({one.missing() or 'not switched on'})"
        for one in LANGUAGES.values()
        if one.server.is_dir() and one not in _languages(config)
    ]
    without = f"; without {', '.join(left_out)}" if left_out else ""
    return f"conformance: {', '.join(map(str, wanted(config)))}{without}"


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _left_out(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    # Language by language, module by module: what a module shares is made once. pytest's own order is by the
    # number of a parameter among all of a test's, which takes languages in turns.
    order = {str(language): number for number, language in enumerate(wanted(config))}
    places = [place for place, item in enumerate(items) if _language(item) is not None]
    modules: dict[str, int] = {}
    ours = [items[place] for place in places]
    for item in ours:
        modules.setdefault(str(item.path), len(modules))
    ours.sort(key=lambda item: (order[str(_language(item))], modules[str(item.path)]))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _language(item: pytest.Item) -> Language | None:
    """The language that one of our items is run over; None for others."""
    call = getattr(item, "callspec", None)
    language = call.params.get("language") if call else None
    return language if isinstance(language, Language) else None


def _left_out(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether an item is one of ours that its server, a process or an image, has no use for."""
    language = _language(item)
    if language is None:
        return False
    if not language.runtime:
        return item.get_closest_marker("pod") is not None
    if item.get_closest_marker("process") is not None:
        return True
    if config.getoption("--long") or item.get_closest_marker("core") is not None:
        return False
    # Quick cases of a language's main image: those that share pods, and those about pods.
    own_pod = "starter" in getattr(item, "fixturenames", ())
    about_pods = item.get_closest_marker("pod") is not None
    return language.runtime != language.main or (own_pod and not about_pods)


@pytest.fixture(scope="session")
def images(cluster: dict[str, str], pool: Pool) -> Iterator[Images]:
    """The images in the local cluster, which is brought up when it is not."""
    with pool.borrowed() as namespace:
        yield Images(Client.from_kubeconfig(cluster["KUBECONFIG"]), namespace)


class Starter:
    """Starts servers of one language, and ends them all."""

    def __init__(self, language: Language, find_images: Callable[[], Images]) -> None:
        self._language = language
        self._find_images = find_images
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
        **spec: Any,
    ) -> Server | Pod:
        """A server of this source that is not waited for; ``spec`` has more of a Function's fields."""
        server: Server | Pod
        if self._language.runtime:
            server = self._find_images().deploy(
                self._language,
                source,
                module=module,
                handler=handler,
                env=env,
                timeout=timeout,
                **spec,
            )
        else:
            assert not spec, "a process has no fields of a Function"
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
        """End them all, also those after one whose end fails the test."""
        with contextlib.ExitStack() as stack:
            for server in self._servers:
                stack.callback(server.destroy)


def _finder(request: pytest.FixtureRequest) -> Callable[[], Images]:
    """Connects when it is called: tests of processes alone need no cluster."""

    def find() -> Images:
        found: Images = request.getfixturevalue("images")
        return found

    return find


@pytest.fixture
def starter(language: Language, request: pytest.FixtureRequest) -> Iterator[Starter]:
    """Servers of the test's own."""
    servers = Starter(language, _finder(request))
    yield servers
    servers.end()


@pytest.fixture
def start(starter: Starter) -> Start:
    """``start("echo", env={...}, timeout=1)``: a ready server of the test's own."""
    return starter.start


@pytest.fixture(scope="module")
def shared(language: Language, request: pytest.FixtureRequest) -> Iterator[Start]:
    """``shared("echo", ...)``: the module's server of these options, made at the first call."""
    servers = Starter(language, _finder(request))
    made: dict[str, Any] = {}

    def find(handler: str, **options: Any) -> Any:
        key = repr((handler, sorted(options.items())))
        if key not in made:
            made[key] = servers.start(handler, **options)
        return made[key]

    yield find
    servers.end()
