"""Answers with what it was called with, as JSON; texts of the event's data in base64."""

import base64

EVENT = ("event-id", "event-type", "event-time", "event-namespace")


def handler(event, context):
    request = event["extensions"]["request"]
    shown = dict(context)
    context["changed"] = True  # the next call must not see this
    return {
        "data": describe(event["data"]),
        "event": {key: event[key] for key in EVENT},
        "keys": sorted(event),
        "context": shown,
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode(),
        "headers": {name.lower(): value for name, value in request.headers},
    }


def describe(data):
    if isinstance(data, str | bytes):
        raw = data.encode() if isinstance(data, str) else data
        return {"type": type(data).__name__, "base64": base64.b64encode(raw).decode()}
    return {"type": type(data).__name__, "value": data}
