"""What all objects of a Function have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kubeless_api import names
from kubeless_api.function import Function

Object = dict[str, Any]


def owner_reference(function: Function) -> Object:
    """The reference by which an object is this Function's, and goes when it goes."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.FUNCTION_KIND,
        "name": function.name,
        "uid": function.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def labels(function: Function) -> dict[str, str]:
    """The Function's own labels and, above them, those by which its pods are found."""
    return {**function.labels, **names.selector_labels(function.name)}


def metadata(
    function: Function,
    name: str,
    *,
    own_labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """The metadata of an object of this Function."""
    return {
        "name": name,
        "namespace": function.namespace,
        "labels": dict(own_labels if own_labels is not None else labels(function)),
        "annotations": dict(annotations or {}),
        "ownerReferences": [owner_reference(function)],
    }


def digest(value: Any) -> str:
    """Ten hexadecimal digits that change with any change of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def stamped(obj: Object) -> Object:
    """The object with the annotation that tells, later, what was asked for."""
    obj["metadata"]["annotations"][names.ANNOTATION_APPLIED] = digest(obj)
    return obj
