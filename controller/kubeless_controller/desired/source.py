"""The ConfigMap that carries a function's source to its pods.

It is immutable and named by its content: pods of the old source keep the old
ConfigMap for as long as they live, and a roll-back finds it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_api.conditions import SOURCE_TOO_LARGE, UNSUPPORTED
from kubeless_api.errors import SpecError
from kubeless_api.function import Function
from kubeless_api.runtimes import Runtime
from kubeless_api.source import check, checksum_of
from kubeless_controller.desired.owned import digest, metadata

# The API server takes 1 MiB of data in a ConfigMap; the source shares it with its file name.
MAX_SOURCE_BYTES = 1024 * 1024 - 1024


@dataclass(frozen=True)
class Source:
    """The file that the runtime loads, its checksum, and the ConfigMap that has it."""

    file: str
    checksum: str
    config_map: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the ConfigMap."""
        name: str = self.config_map["metadata"]["name"]
        return name


def build(function: Function, runtime: Runtime) -> Source:
    """Build the source of a Function that has a handler. Raises SpecError."""
    if str(function.content_type) != "text":
        raise SpecError(
            UNSUPPORTED,
            f"spec.function-content-type: found '{function.content_type}'; this version runs text only: "
            "put the source itself into spec.function",
        )
    if function.deps.strip():
        raise SpecError(
            UNSUPPORTED,
            "spec.deps: this version does not install dependencies; leave it empty, or name an image "
            "that has them in spec.image",
        )
    content = function.source.encode()
    if len(content) > MAX_SOURCE_BYTES:
        raise SpecError(
            SOURCE_TOO_LARGE,
            f"spec.function: the source has {len(content)} bytes; at most {MAX_SOURCE_BYTES} fit into "
            "a ConfigMap: build it into an image and name that in spec.image",
        )
    check(content, function.checksum)
    assert function.handler is not None, "only an image of the user's own comes without a handler"
    file = function.handler.module + runtime.suffix
    data = {file: function.source}
    name = f"{function.name}-{digest(data)}"
    return Source(
        file=file,
        checksum=checksum_of(content),
        config_map={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            # Without the Function's own labels: the object can stay as it is while they change.
            "metadata": metadata(function, name, own_labels=names.selector_labels(function.name)),
            "immutable": True,
            "data": data,
        },
    )
