"""Dependencies in each language, installed by init containers from indexes of the tests' own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from support import gems, packages
from support.archives import base64_text, zipped
from support.calls import answer
from support.shelf import Shelf, set_up

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

ANY_USER = 12345
CREDENTIALS = "reader:s3cret"
GREETING = "Hello from the shelf"
NODE_RUNTIMES = ("nodejs20", "nodejs24")


def as_any_user(**spec: Any) -> Object:
    """A Function's spec whose pod, installers too, runs as another user than the image's."""
    security = {
        "runAsNonRoot": True,
        "runAsUser": ANY_USER,
        "runAsGroup": ANY_USER,
        "fsGroup": ANY_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod = {"securityContext": security, "containers": []}
    return {**spec, "deployment": {"spec": {"template": {"spec": pod}}}}


@pytest.fixture
def gem_shelf(client: Client, namespace: str, tmp_path: Path) -> Shelf:
    """Gems: `native`, which is compiled, and `pure`, which needs it; `greeting` in a git repository."""
    made = {
        "native": gems.build(tmp_path, "native", gems.NATIVE, gems.NATIVE_EXTRA),
        "pure": gems.build(
            tmp_path, "pure", {"lib/pure.rb": "require 'native'\n"}, "s.add_dependency 'native'"
        ),
    }
    repository = {
        "greeting.gemspec": gems.gemspec("greeting"),
        "lib/greeting.rb": f"GREETING = '{GREETING}'\n",
    }
    files = {
        **gems.index(made, {"pure": "native:>= 0"}),
        **packages.git_repository(tmp_path, "greeting", repository),
    }
    return set_up(client, namespace, files, credentials=CREDENTIALS)


def test_a_gemfile_with_a_c_extension_and_a_git_reference(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, gem_shelf: Shelf
) -> None:
    source = (
        "require 'pure'\nrequire 'greeting'\n"
        "def handler(event, context)\n"
        "  native = Gem.loaded_specs['native']\n"
        "  [native_answer, GREETING, native.full_gem_path, Process.uid]\n"
        "end\n"
    )
    gemfile = (
        f"source '{gem_shelf.url}'\ngem 'pure'\n"
        f"gem 'greeting', git: '{gem_shelf.url}/greeting.git', branch: 'main'\n"
    )
    host = gem_shelf.host.upper().replace("-", "___").replace(".", "__")
    known = {"env": [{"name": f"BUNDLE_{host}", "value": CREDENTIALS}]}
    deploy(**as_any_user(runtime="ruby3.3", function=source, deps=gemfile, dependencies=known))
    condition("hello", "Ready", "True", 180)
    number, greeting, path, user = json.loads(answer(client, namespace))
    assert (number, greeting, user) == (42, GREETING, ANY_USER)
    assert path == "/kubeless/ruby/3.3.0/gems/native-1.0"


@pytest.mark.parametrize(
    ("gem", "extra", "said"),
    [
        ("no_such_gem", {}, "no_such_gem"),
        ("broken", {"ext/native.c": "this is not C\n"}, "native.c"),
    ],
    ids=["not in the index", "does not compile"],
)
def test_a_gem_that_cannot_be_installed_is_named(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    tmp_path: Path,
    gem: str,
    extra: dict[str, str],
    said: str,
) -> None:
    made = gems.build(tmp_path, "broken", {**gems.NATIVE, **extra}, gems.NATIVE_EXTRA)
    shelf = set_up(client, namespace, gems.index({"broken": made}, {}))
    source = "def handler(event, context) = 1\n"
    deploy(runtime="ruby3.3", function=source, deps=f"source '{shelf.url}'\ngem '{gem}'\n")
    message = condition("hello", "Ready", "DependenciesFailed", 180)["message"]
    assert said in message


@pytest.fixture
def npm_shelf(client: Client, namespace: str, tmp_path: Path) -> Shelf:
    """Packages: `native`, which is compiled, `thing` in two versions, `greeting` in a git repository."""
    url = Shelf(client, namespace).url
    things = {
        version: packages.npm_package(
            "thing", version, {"index.js": f"module.exports = '{version}';"}
        )
        for version in ("1.0.0", "1.1.0")
    }
    native = {"1.0.0": packages.npm_package("native", "1.0.0", packages.NATIVE_NODE)}
    repository = {
        "package.json": json.dumps({"name": "greeting", "version": "1.0.0"}),
        "index.js": f"module.exports = '{GREETING}';\n",
    }
    files = {
        **packages.npm_registry(url, "thing", things),
        **packages.npm_registry(url, "native", native),
        **packages.git_repository(tmp_path, "greeting", repository),
    }
    return set_up(client, namespace, files)


@pytest.mark.parametrize("runtime", NODE_RUNTIMES)
def test_a_package_json_with_a_c_extension_and_a_git_reference(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    npm_shelf: Shelf,
    runtime: str,
) -> None:
    source = (
        "const native = require('native');\n"
        "exports.handler = () => [native.answer(), require('greeting'), require('thing'),\n"
        "  require.resolve('native'), process.getuid()];\n"
    )
    wanted = {
        "native": "1.0.0",
        "thing": "^1.0.0",
        "greeting": f"git+{npm_shelf.url}/greeting.git",
    }
    registry = {"env": [{"name": "NPM_REGISTRY", "value": npm_shelf.url}]}
    deps = json.dumps({"dependencies": wanted})
    deploy(**as_any_user(runtime=runtime, function=source, deps=deps, dependencies=registry))
    condition("hello", "Ready", "True", 180)
    number, greeting, thing, path, user = json.loads(answer(client, namespace))
    assert (number, greeting, thing, user) == (42, GREETING, "1.1.0", ANY_USER)
    assert path == "/kubeless/node_modules/native/index.js"


def test_a_lock_file_in_the_archive_decides_the_versions(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, npm_shelf: Shelf
) -> None:
    wanted = {"dependencies": {"thing": "^1.0.0"}}
    locked = packages.npm_package("thing", "1.0.0", {"index.js": "module.exports = '1.0.0';"})
    files = {
        "hello.js": "exports.handler = () => require('thing');\n",
        "package.json": json.dumps(wanted),
        "package-lock.json": json.dumps(
            {
                "name": "hello",
                "lockfileVersion": 3,
                "requires": True,
                "packages": {
                    "": wanted,
                    "node_modules/thing": {
                        "version": "1.0.0",
                        "integrity": packages.integrity(locked),
                    },
                },
            }
        ),
    }
    source = {
        "function": base64_text(zipped(files)),
        "function-content-type": "base64+zip+deps",
    }
    registry = {"env": [{"name": "NPM_REGISTRY", "value": npm_shelf.url}]}
    deploy(**source, runtime="nodejs24", dependencies=registry)
    condition("hello", "Ready", "True", 180)
    assert answer(client, namespace) == "1.0.0"


def test_a_package_of_npm_that_does_not_exist_is_named(
    deploy: Deploy, condition: Condition, npm_shelf: Shelf
) -> None:
    registry = {"env": [{"name": "NPM_REGISTRY", "value": npm_shelf.url}]}
    deps = json.dumps({"dependencies": {"no-such-thing": "^1.0.0"}})
    source = "exports.handler = () => 1;\n"
    deploy(runtime="nodejs24", function=source, deps=deps, dependencies=registry)
    message = condition("hello", "Ready", "DependenciesFailed", 180)["message"]
    assert "no-such-thing" in message
