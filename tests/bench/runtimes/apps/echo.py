"""Ours: answers with the event's data."""


def handler(event, context):
    return event["data"]
