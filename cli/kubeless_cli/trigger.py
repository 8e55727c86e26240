"""What the manifests of all kinds of triggers have in common: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api.names import API_VERSION, CREATED_BY, FUNCTION_KIND, LABEL_CREATED_BY
from kubeless_cli.fields import add_annotations, add_labels
from kubeless_cli.kinds import Kind

Object = dict[str, Any]

# As the original's command line labelled them.
_OWN_LABELS = {LABEL_CREATED_BY: CREATED_BY}


def empty(kind: Kind, name: str, namespace: str | None) -> Object:
    """The manifest that `create` begins with."""
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {
        "apiVersion": API_VERSION,
        "kind": kind.kind,
        "metadata": metadata | {"labels": dict(_OWN_LABELS)},
        "spec": {},
    }


def annotate(
    metadata: Object, labels: Mapping[str, str] | None, annotations: Mapping[str, str] | None
) -> None:
    """Add labels and annotations; an empty mapping takes away all but our own and kubectl's."""
    add_labels(metadata, labels, _OWN_LABELS)
    add_annotations(metadata, annotations)


def function_of(trigger: Object) -> str:
    """The name of the function that it calls; "" when it names none."""
    return str((trigger.get("spec") or {}).get("function-name") or "")


def owner(trigger: Object) -> str:
    """The Function whose own spec made the trigger; "" when none did."""
    for reference in trigger["metadata"].get("ownerReferences") or []:
        if (reference.get("apiVersion"), reference.get("kind")) == (API_VERSION, FUNCTION_KIND):
            return str(reference["name"])
    return ""
