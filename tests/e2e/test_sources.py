"""Sources and dependencies in a real cluster: fetched, unpacked and installed before the function starts."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS
from support.archives import base64_text, tarred, zipped
from support.calls import answer
from support.registry_access import CA_BUNDLE, pip_environment

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

MODULE = (
    "from pathlib import Path\n"
    "from parts.words import greeting\n"
    "def handler(event, context):\n"
    "    return greeting + (Path(__file__).parent / 'data.txt').read_text()\n"
)
FILES = {
    "hello.py": MODULE,
    "parts/__init__.py": "",
    "parts/words.py": "greeting = 'Hello '\n",
    "data.txt": "wörld",
}
NODE_FILES = {
    "hello.js": (
        "const fs = require('node:fs');\n"
        "const { greeting } = require('./parts/words');\n"
        "exports.handler = () => greeting + fs.readFileSync(`${__dirname}/data.txt`, 'utf8');\n"
    ),
    "parts/words.js": "exports.greeting = 'Hello ';\n",
    "data.txt": "wörld",
}
RUBY_FILES = {
    "hello.rb": (
        "require_relative 'parts/words'\n"
        "def handler(event, context)\n"
        "  GREETING + File.read(File.join(__dir__, 'data.txt'), encoding: 'UTF-8')\n"
        "end\n"
    ),
    "parts/words.rb": "GREETING = 'Hello '\n",
    "data.txt": "wörld",
}


@pytest.fixture
def installer(client: Client, namespace: str) -> Object:
    """spec.dependencies with which pods of the namespace reach the host's package index."""
    client.create(
        CONFIGMAPS,
        {
            "metadata": {"name": "authorities", "namespace": namespace},
            "data": {"ca.crt": CA_BUNDLE.read_text()},
        },
    )
    env = [{"name": name, "value": value} for name, value in pip_environment().items()]
    return {"env": env, "caBundle": {"configMapName": "authorities"}}


@pytest.mark.parametrize(
    ("runtime", "kind", "content"),
    [
        ("python3.13", "base64+zip", zipped(FILES)),
        ("python3.13", "base64+compressedtar", tarred(FILES, "gz")),
        ("python3.13", "base64+compressedtar", tarred(FILES, "bz2")),
        ("python3.13", "base64+compressedtar", tarred(FILES, "xz")),
        ("nodejs24", "base64+compressedtar", tarred(NODE_FILES, "gz")),
        ("ruby3.3", "base64+zip", zipped(RUBY_FILES)),
    ],
    ids=["zip", "tar.gz", "tar.bz2", "tar.xz", "node", "ruby"],
)
def test_an_archive_with_modules_and_data(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    runtime: str,
    kind: str,
    content: bytes,
) -> None:
    checksum = "sha256:" + hashlib.sha256(content).hexdigest()
    source = {"function": base64_text(content), "function-content-type": kind}
    deploy(**source, runtime=runtime, checksum=checksum)
    condition("hello", "Ready", "True")
    assert answer(client, namespace) == "Hello wörld"


def test_a_source_that_is_downloaded(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    content = zipped(FILES)
    # The site is a function too: what it answers is the archive.
    serve = f"import base64\ndef handler(event, context):\n    return base64.b64decode('{base64_text(content)}')\n"
    deploy("site", function=serve)
    condition("site", "Ready", "True")
    answer(client, namespace, "site")
    url = f"http://site.{namespace}.svc:8080/files/anything.zip"
    checksum = "sha256:" + hashlib.sha256(content).hexdigest()
    spec = {"function": url, "function-content-type": "url+zip"}
    deploy(**spec, checksum=checksum)
    condition("hello", "Ready", "True")
    assert answer(client, namespace) == "Hello wörld"
    deploy(**spec, checksum="sha256:" + "0" * 64)
    message = condition("hello", "Ready", "ChecksumMismatch")["message"]
    assert checksum in message
    assert condition("hello", "Available", "True")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://nowhere.invalid/hello.py", "nowhere.invalid"),
        ("http://127.0.0.1/hello.py", "an address of the node or the link"),
        ("http://169.254.169.254/latest/meta-data", "an address of the node or the link"),
    ],
)
def test_a_source_that_cannot_be_had(
    deploy: Deploy, condition: Condition, url: str, said: str
) -> None:
    deploy(**{"function": url, "function-content-type": "url"})
    assert said in condition("hello", "Ready", "SourceUnavailable")["message"]


def test_an_archive_that_leads_out_of_itself(deploy: Deploy, condition: Condition) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../hello.py", MODULE)
    deploy(**{"function": base64_text(buffer.getvalue()), "function-content-type": "base64+zip"})
    assert "leads out of it" in condition("hello", "Ready", "SourceInvalid")["message"]


@pytest.mark.parametrize("runtime", ["python3.13", "python3.14"])
def test_a_function_brings_another_flask_than_the_servers(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    installer: Object,
    runtime: str,
) -> None:
    module = (
        "import json\n"
        "from importlib.metadata import version\n"
        "from flask import request\n"
        "def handler(event, context):\n"
        "    return json.dumps([version('flask'), request.method])\n"
    )
    deploy(
        runtime=runtime,
        function=module,
        deps="flask==3.0.3\nwerkzeug==3.0.6\n",
        dependencies=installer,
    )
    condition("hello", "Ready", "True", 120)
    assert json.loads(answer(client, namespace)) == ["3.0.3", "GET"]


def test_dependencies_that_do_not_exist_are_named(
    deploy: Deploy, condition: Condition, installer: Object
) -> None:
    deploy(deps="kubeless-has-no-such-package==9\n", dependencies=installer)
    message = condition("hello", "Ready", "DependenciesFailed", 120)["message"]
    assert "kubeless-has-no-such-package" in message


def test_an_index_that_cannot_be_reached_is_named(
    deploy: Deploy, condition: Condition, installer: Object
) -> None:
    env = [{"name": "PIP_INDEX_URL", "value": "http://index.invalid/simple"}]
    env.append({"name": "PIP_RETRIES", "value": "0"})
    deploy(deps="six==1.17.0\n", dependencies={"env": env})
    message = condition("hello", "Ready", "DependenciesFailed", 120)["message"]
    assert "six" in message


def test_the_archives_own_file_of_dependencies(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, installer: Object
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("requirements.txt", "six==1.17.0\n")
        archive.writestr(
            "hello.py", "import six\ndef handler(event, context):\n    return six.__version__\n"
        )
    deploy(
        **{"function": base64_text(buffer.getvalue()), "function-content-type": "base64+zip+deps"},
        dependencies=installer,
    )
    condition("hello", "Ready", "True", 120)
    assert answer(client, namespace) == "1.17.0"


def test_a_package_with_a_c_extension_and_one_from_a_git_repository(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    installer: Object,
    tmp_path: Path,
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "greeting.py").write_text("WORD = 'from git'\n")
    (package / "pyproject.toml").write_text(
        "[project]\nname = 'greeting'\nversion = '1.0'\n[tool.setuptools]\npy-modules = ['greeting']\n"
    )
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(package)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    bare = tmp_path / "files" / "greeting.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(package), str(bare)], check=True)
    files = bare.parent
    (files / "requirements.txt").write_text(
        "--no-binary markupsafe\nmarkupsafe==3.0.2\ngreeting @ git+file:///kubeless/greeting.git\n"
    )
    (files / "hello.py").write_text(
        "import greeting\nfrom markupsafe import _speedups\n"
        "def handler(event, context):\n"
        "    return greeting.WORD + ' ' + _speedups.__file__.rpartition('.')[2]\n"
    )
    content = shutil.make_archive(str(tmp_path / "source"), "zip", files)
    deploy(
        **{
            "function": base64_text(Path(content).read_bytes()),
            "function-content-type": "base64+zip+deps",
        },
        dependencies=installer,
    )
    condition("hello", "Ready", "True", 240)
    assert answer(client, namespace) == "from git so"
