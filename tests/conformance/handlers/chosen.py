"""Answers with a status and headers of its own choice."""


def handler(event, context):
    return {
        "status": ("made", 201),
        "headers": ("x", 202, {"X-A": "b", "Content-Type": "image/png"}),
        "split": ("x", 200, {"X-A": "b\r\nX-Split: c"}),
        "empty": (None, 204),
    }[event["data"].decode()]
