"""Who owns a Function's fields, as the API server's managedFields say.

`deploy` applies (server-side) as `kubeless-cli`: what it applied before and leaves out now goes,
what others own stays. Two writers count as this command line although they did not apply: its own
`update`, which patches, and the original's binary, whose manager is called `kubeless`. Before an
apply their entries are joined into the applied one, or what they set could never be removed
again. (kubectl does the same when it moves to server-side apply.)

One field is left out of that: the autoscaler has commands of its own, and no flag of `deploy` names
it, so `deploy` must not take it away.
"""

from __future__ import annotations

from typing import Any

MANAGER = "kubeless-cli"
_OURS = frozenset({MANAGER, "kubeless"})
_AUTOSCALER = "f:horizontalPodAutoscaler"

Entry = dict[str, Any]


def adopt(managed: list[Entry]) -> list[Entry] | None:
    """The managedFields with our updates joined into our apply; None: nothing to do."""
    updates = [entry for entry in managed if _is_update(entry)]
    if not updates:
        return None
    applied = [entry for entry in managed if _is_apply(entry)]
    joined = dict((applied or updates)[0])
    fields: dict[str, Any] = {}
    for entry in (*applied, *updates):
        fields = _union(fields, entry.get("fieldsV1") or {})
    spec = fields.get("f:spec") or {}
    if _AUTOSCALER in spec:
        fields["f:spec"] = {key: value for key, value in spec.items() if key != _AUTOSCALER}
    joined.update(manager=MANAGER, operation="Apply", fieldsV1=fields)
    others = [entry for entry in managed if not _is_update(entry) and not _is_apply(entry)]
    return [joined, *others]


def _is_update(entry: Entry) -> bool:
    return (
        entry.get("operation") == "Update"
        and entry.get("manager") in _OURS
        and not entry.get("subresource")
    )


def _is_apply(entry: Entry) -> bool:
    return entry.get("operation") == "Apply" and entry.get("manager") == MANAGER


def _union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both field sets; a set is a tree of keys whose leaves are empty."""
    joined = dict(one)
    for key, value in other.items():
        joined[key] = _union(joined[key], value) if key in joined else value
    return joined
