"""The Service by which a function is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api import fields, names
from kubeless_api.function import Function
from kubeless_controller.desired.merge import merged
from kubeless_controller.desired.owned import labels, metadata, stamped

Object = dict[str, Any]
_PATH = "spec.service"
# The container port's name. The Service goes by it: while a change of the number rolls out, old pods are
# still reached at theirs.
PORT = "http"


@dataclass(frozen=True)
class Ports:
    """``ports`` as the Service has them; the first is the function's."""

    ports: tuple[Mapping[str, Any], ...]

    @property
    def service(self) -> int:
        """Where callers reach the function."""
        port: int = self.ports[0]["port"]
        return port

    @property
    def container(self) -> int:
        """Where the function's server listens."""
        port: int = self.ports[0]["targetPort"]
        return port


def ports_of(function: Function) -> Ports:
    """The ports of a Function's Service. Raises SpecError."""
    given = fields.objects(function.service, "ports", _PATH)
    result = []
    for index, port in enumerate(given or [{}]):
        path = f"{_PATH}.ports[{index}]"
        number = _port(port, "port", path) or names.DEFAULT_PORT
        target = _port(port, "targetPort", path) or number
        entry = {"protocol": "TCP", **port, "port": number, "targetPort": target}
        if index == 0:
            # Scripts of the original reach functions by this name, through the API server's proxy.
            entry["name"] = names.PORT_NAME
        result.append(entry)
    return Ports(tuple(result))


def build(function: Function, ports: Ports) -> Object:
    """Build the Service."""
    given = {
        key: value for key, value in function.service.items() if key not in ("ports", "selector")
    }
    spec = merged({"type": "ClusterIP"}, given)
    first, *others = ports.ports
    spec["ports"] = [{**first, "targetPort": PORT}, *(dict(port) for port in others)]
    spec["selector"] = _selector(function)
    return stamped(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(
                function,
                function.name,
                labels(function),
                annotations={
                    "prometheus.io/scrape": "true",
                    "prometheus.io/path": "/metrics",
                    "prometheus.io/port": str(ports.container),
                },
            ),
            "spec": spec,
        }
    )


def url_of(function: Function, ports: Ports) -> str:
    """Where pods of the cluster reach the function."""
    return f"http://{function.name}.{function.namespace}.svc:{ports.service}"


def _selector(function: Function) -> dict[str, str]:
    """The user's selector, unless it says no more than the Function's labels.

    The original's command line copied all labels into it; kept, the next
    change of a label would cut off the pods that run.
    """
    given = fields.strings(function.service, "selector", _PATH)
    own = labels(function)
    if all(own.get(key) == value for key, value in given.items()):
        return names.selector_labels(function.name)
    return given


def _port(port: Mapping[str, Any], key: str, path: str) -> int:
    """A port number, also from a string of digits; 0 when it is not set."""
    value = port.get(key)
    if value is None or value == 0:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        raise fields.wrong(f"{path}.{key}", value, "a port number from 1 to 65535")
    return value
