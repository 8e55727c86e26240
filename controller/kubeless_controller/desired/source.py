"""The ConfigMap that carries a function's source to its pods, and how it gets from there to the runtime.

It is immutable and named by its content: pods of the old source keep the old
ConfigMap for as long as they live, and a roll-back finds it again.

A source that is one file, without dependencies, is mounted where the runtime
loads it. Everything else (archives, addresses, dependencies) passes through
init containers that fill a volume first.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_api.conditions import INVALID_SPEC, SOURCE_TOO_LARGE, UNSUPPORTED
from kubeless_api.errors import SpecError
from kubeless_api.function import Function
from kubeless_api.runtimes import Runtime
from kubeless_api.source import check, checksum_of, decode_base64
from kubeless_controller.desired.owned import digest, metadata

# The API server takes 1 MiB of data in a ConfigMap; the source shares it with names and dependencies.
MAX_SOURCE_BYTES = 1024 * 1024 - 1024
# Keys of a ConfigMap whose content is prepared first; one that is mounted has the file's own name.
SOURCE_KEY = "source"
DEPENDENCIES_KEY = "dependencies"
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Source:
    """What the runtime loads and where it comes from.

    ``file`` is the module's file; ``checksum`` is empty while the content is not known here. ``prepared``
    says that it is fetched or unpacked first, ``installed`` that dependencies are.
    """

    file: str
    checksum: str
    config_map: dict[str, Any]
    prepared: bool = False
    installed: bool = False
    dependencies: bool = False

    @property
    def name(self) -> str:
        """Name of the ConfigMap."""
        name: str = self.config_map["metadata"]["name"]
        return name


def build(function: Function, runtime: Runtime) -> Source:
    """Build the source of a Function that has a handler. Raises SpecError."""
    assert function.handler is not None, "only an image of the user's own comes without a handler"
    kind = function.content_type
    file = function.handler.module + runtime.suffix
    content = _content(function)
    if kind.carrier != "url":
        check(content, function.checksum)
    installed = bool(function.deps.strip()) or (kind.deps and bool(kind.archive))
    if installed and not runtime.install_image:
        raise SpecError(
            UNSUPPORTED,
            f"spec.deps: the runtime {runtime.id} installs no dependencies; leave it empty, or name an "
            "image that has them in spec.image",
        )
    prepared = kind.carrier == "url" or bool(kind.archive) or installed
    parts = {SOURCE_KEY if prepared else file: content}
    if function.deps.strip():
        parts[DEPENDENCIES_KEY] = function.deps.encode()
    size = sum(map(len, parts.values()))
    if size > MAX_SOURCE_BYTES:
        raise SpecError(
            SOURCE_TOO_LARGE,
            f"spec.function: the source has {size} bytes; at most {MAX_SOURCE_BYTES} fit into "
            "a ConfigMap: put it where it can be downloaded and name the address (url), or build it "
            "into an image and name that in spec.image",
        )
    return Source(
        file=file,
        checksum=function.checksum.lower() if kind.carrier == "url" else checksum_of(content),
        config_map=_config_map(function, parts),
        prepared=prepared,
        installed=installed,
        dependencies=DEPENDENCIES_KEY in parts,
    )


def dependencies_are_url(function: Function) -> bool:
    """Say whether spec.deps is the address of the dependencies."""
    return function.content_type.deps and _URL.fullmatch(function.deps.strip()) is not None


def _content(function: Function) -> bytes:
    """What the ConfigMap carries: the source, the archive, or the address."""
    if function.content_type.carrier == "base64":
        return decode_base64(function.source)
    if function.content_type.carrier == "url":
        address = function.source.strip()
        if _URL.fullmatch(address) is None:
            raise SpecError(
                INVALID_SPEC,
                "spec.function: the content type says url; expected one http or https address, like "
                "'https://example.com/hello.py'",
            )
        return address.encode()
    return function.source.encode()


def _config_map(function: Function, parts: dict[str, bytes]) -> dict[str, Any]:
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, content in parts.items():
        try:
            data[key] = content.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(content).decode()
    name = f"{function.name}-{digest({'data': data, 'binaryData': binary} if binary else data)}"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        # Without the Function's own labels: the object can stay as it is while they change.
        "metadata": metadata(function, name, names.selector_labels(function.name)),
        "immutable": True,
        **({"data": data} if data else {}),
        **({"binaryData": binary} if binary else {}),
    }
