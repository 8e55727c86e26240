"""The kinds of objects that commands are about: how sentences call them, and where they are served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeless_api import names

if TYPE_CHECKING:
    from kubeless_kube.resources import Resource


@dataclass(frozen=True)
class Kind:
    """One kind: its name in the API, in a sentence, and the commands about it.

    ``whole`` names spec fields that hold anything: an apply replaces them instead of merging into
    what stands there.
    """

    kind: str
    plural: str
    noun: str
    command: str
    whole: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The noun at the start of a sentence."""
        return self.noun[0].upper() + self.noun[1:]

    @property
    def resource(self) -> Resource:
        """Where the API server has it. `kubeless_kube` takes time to import: only now."""
        from kubeless_kube.resources import Resource

        return Resource(names.GROUP, names.VERSION, self.plural, self.kind)


FUNCTION = Kind(names.FUNCTION_KIND, names.FUNCTION_PLURAL, "function", "function")
HTTP_TRIGGER = Kind(
    names.HTTP_TRIGGER_KIND, names.HTTP_TRIGGER_PLURAL, "HTTP trigger", "trigger http"
)
CRONJOB_TRIGGER = Kind(
    names.CRONJOB_TRIGGER_KIND,
    names.CRONJOB_TRIGGER_PLURAL,
    "cronjob trigger",
    "trigger cronjob",
    whole=("payload",),
)
KAFKA_TRIGGER = Kind(
    names.KAFKA_TRIGGER_KIND,
    names.KAFKA_TRIGGER_PLURAL,
    "Kafka trigger",
    "trigger kafka",
    whole=("functionSelector",),
)
KINDS = (FUNCTION, HTTP_TRIGGER, CRONJOB_TRIGGER, KAFKA_TRIGGER)
