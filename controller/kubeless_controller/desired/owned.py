"""What all objects have in common that a Function or a trigger owns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from kubeless_api import names
from kubeless_api.function import Function

Object = dict[str, Any]


class Owner(Protocol):
    """A Function or a trigger, as parsed."""

    kind: ClassVar[str]

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...


def owner_reference(owner: Owner) -> Object:
    """The reference by which an object is this owner's, and goes when it goes."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def labels(function: Function) -> dict[str, str]:
    """The Function's own labels and, above them, those by which its pods are found."""
    return {**function.labels, **names.selector_labels(function.name)}


def metadata(
    owner: Owner,
    name: str,
    own_labels: Mapping[str, str],
    *,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """The metadata of an object of this owner."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": dict(own_labels),
        "annotations": dict(annotations or {}),
        "ownerReferences": [owner_reference(owner)],
    }


def digest(value: Any) -> str:
    """Ten hexadecimal digits that change with any change of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def stamped(obj: Object) -> Object:
    """The object with the annotation that tells, later, what was asked for."""
    obj["metadata"]["annotations"][names.ANNOTATION_APPLIED] = digest(obj)
    return obj
