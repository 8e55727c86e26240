"""Waiting for an object: one watch, no polling, until it is ready, has failed, or time is up.

- It follows the generation that was written, or a newer one: an older Ready=True does not count.
- It ends at the first condition that says no (`is_waiting` tells the reasons that pass by
  themselves), without sitting out the limit.
- A watch that breaks or expires is opened again from a fresh read; the limit still holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.kinds import Kind
from kubeless_cli.status import NOT_SEEN, Phase, Standing, standing

Object = dict[str, Any]


def until_ready(
    connection: Connection,
    kind: Kind,
    obj: Object,
    limit: float,
    report: Callable[[Standing], None],
) -> tuple[Object, Standing]:
    """Wait until the generation of `obj` is ready or has failed; at most `limit` seconds.

    `report` hears every standing. Returns the newest object and its standing, which is WAITING
    when the limit was reached. Raises Failure when the object is deleted meanwhile.
    """
    least = obj["metadata"].get("generation", 0)
    newest, state = obj, NOT_SEEN
    for seen in _versions(connection, kind, obj, limit):
        if seen is None:
            raise Failure(
                f"{kind.title} {obj['metadata']['name']} was deleted while waiting for it."
            )
        if seen["metadata"].get("generation", 0) < least:
            continue
        newest, state = seen, standing(seen)
        report(state)
        if state.phase is not Phase.WAITING:
            break
    return newest, state


def until_gone(connection: Connection, kind: Kind, obj: Object, limit: float) -> bool:
    """Wait until that very object is gone; False when it still is there after `limit` seconds."""
    uid = obj["metadata"].get("uid")
    for seen in _versions(connection, kind, obj, limit):
        if seen is None or seen["metadata"].get("uid") != uid:
            return True
    return False


def _versions(
    connection: Connection, kind: Kind, obj: Object, limit: float
) -> Iterator[Object | None]:
    """The object as it is now and after each change; None once it is gone. Ends at the limit."""
    from kubeless_kube.errors import Gone, NotFound, Unreachable

    name = obj["metadata"]["name"]
    deadline = time.monotonic() + limit
    first = True
    while first or time.monotonic() < deadline:
        try:
            seen = connection.client.get(kind.resource, connection.namespace, name)
        except NotFound:
            yield None
            return
        yield seen
        left = deadline - time.monotonic()
        if left <= 0:
            return
        first = False
        try:
            for event in connection.client.watch(
                kind.resource,
                connection.namespace,
                resource_version=seen["metadata"]["resourceVersion"],
                fields=f"metadata.name={name}",
                # The client lengthens this by up to a half.
                timeout=max(1.0, left / 1.5),
            ):
                if event["type"] == "DELETED":
                    yield None
                    return
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]
                if time.monotonic() >= deadline:
                    return
        except (Gone, Unreachable):
            # Read again, which says so if the server is really gone.
            continue
