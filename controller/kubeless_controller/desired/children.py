"""All that a Function needs, built in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api.function import DEFAULT_REPLICAS, Function
from kubeless_api.runtimes import Runtime
from kubeless_controller.desired import autoscaler, deployment, service, source, trigger
from kubeless_controller.settings import Settings

Object = dict[str, Any]

# The wish of a Function whose autoscaler decides how many pods there are.
AUTOSCALED = "autoscaler"


@dataclass(frozen=True)
class Children:
    """The objects that a Function owns, and what its status says of them.

    ``config_map`` is None, and ``source_checksum`` empty, for an image of the user's own. ``replicas``
    are those to begin with; ``wish`` says who decides later: that number, or ``AUTOSCALED``. ``alias``
    says which runtime runs a Function that asks for an older one. ``trigger`` is None without a schedule or topic.
    """

    config_map: Object | None
    deployment: Object
    service: Object
    autoscaler: Object | None
    replicas: int
    url: str
    source_checksum: str
    alias: str
    trigger: Object | None = None

    @property
    def wish(self) -> str:
        """The replicas that the Function asks for, as its Deployment's annotation has them."""
        return AUTOSCALED if self.autoscaler is not None else str(self.replicas)


def build(function: Function, settings: Settings) -> Children:
    """Build everything for a Function. Raises SpecError."""
    runtime = None if function.image else settings.runtimes.find(function.runtime)
    built_source = None if runtime is None else source.build(function, runtime)
    ports = service.ports_of(function)
    built_autoscaler = autoscaler.build(function)
    replicas = deployment.wanted_replicas(function)
    if built_autoscaler is not None:
        replicas = autoscaler.first_replicas(built_autoscaler)
    return Children(
        config_map=built_source.config_map if built_source else None,
        deployment=deployment.build(function, runtime, built_source, ports, settings),
        service=service.build(function, ports),
        autoscaler=built_autoscaler,
        replicas=replicas,
        url=service.url_of(function, ports),
        source_checksum=built_source.checksum if built_source else "",
        alias=_alias(function, runtime),
        trigger=trigger.build(function),
    )


def clash(function: Function) -> str:
    """Which of several wishes for replicas comes first; '' where there is one."""
    explicit = deployment.explicit_replicas(function)
    told = []
    if explicit is not None:
        told.append(("spec.deployment.spec.replicas", explicit))
    if function.replicas != DEFAULT_REPLICAS:
        told.append(("spec.replicas", function.replicas))
    if function.autoscaler:
        said = " and ".join(f"{path} ({number})" for path, number in told)
        return f"spec.horizontalPodAutoscaler comes before {said}" if said else ""
    if len(told) == 2 and told[0][1] != told[1][1]:
        (path, number), (other, ignored) = told
        return f"{path} ({number}) comes before {other} ({ignored})"
    return ""


def _alias(function: Function, runtime: Runtime | None) -> str:
    if runtime is None or runtime.id == function.runtime:
        return ""
    return f"runtime {function.runtime} is run by {runtime.id}"
