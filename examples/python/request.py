"""The request itself, where a handler needs more than the event: method, path, query and headers."""

from flask import Response


def handler(event, context):
    request = event["extensions"]["request"]
    text = f"{request.method} {request.path} greeting={request.args.get('greeting')}\n"
    return Response(text, status=203, headers={"X-Answered-By": "kubeless"})
