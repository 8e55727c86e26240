"""Fails in the way that the request's body names; 'ok' without one."""

import sys


def handler(event, context):
    how = event["data"].decode()
    if how == "raise":
        raise ValueError("a secret of the function")
    if how == "exit":
        sys.exit(3)
    if how == "recurse":
        return handler(event, context)
    if how == "unsendable":
        return {"a": object()}
    return "ok"
