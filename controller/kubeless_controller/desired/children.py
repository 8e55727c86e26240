"""All that a Function needs, built in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api.conditions import UNSUPPORTED
from kubeless_api.errors import SpecError
from kubeless_api.function import Function
from kubeless_api.runtimes import Runtime
from kubeless_controller.desired import deployment, service, source
from kubeless_controller.settings import Settings

Object = dict[str, Any]


@dataclass(frozen=True)
class Children:
    """The objects that a Function owns, and what its status says of them.

    ``config_map`` is None, and ``source_checksum`` empty, for an image of the user's own.
    """

    config_map: Object | None
    deployment: Object
    service: Object
    replicas: int
    url: str
    source_checksum: str
    runtime: Runtime | None


def build(function: Function, settings: Settings) -> Children:
    """Build everything for a Function. Raises SpecError."""
    if function.autoscaler:
        raise SpecError(
            UNSUPPORTED,
            "spec.horizontalPodAutoscaler: this version makes no autoscaler; leave it out, and point "
            f"one of your own at the scale of functions.kubeless.io/{function.name}",
        )
    runtime = None if function.image else settings.runtimes.find(function.runtime)
    built_source = None if runtime is None else source.build(function, runtime)
    ports = service.ports_of(function)
    return Children(
        config_map=built_source.config_map if built_source else None,
        deployment=deployment.build(function, runtime, built_source, ports, settings),
        service=service.build(function, ports),
        replicas=deployment.wanted_replicas(function),
        url=service.url_of(function, ports),
        source_checksum=built_source.checksum if built_source else "",
        runtime=runtime,
    )
