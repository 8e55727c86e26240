"""Returns the value that the path names."""

VALUES = {
    "/text": "text é",
    "/empty": "",
    "/bytes": b"\x00\xff\xfe",
    "/object": {"a": 1, "é": [True, None]},
    "/list": [1, None],
    "/number": 42,
    "/float": 1.5,
    "/true": True,
    "/false": False,
    "/zero": 0,
    "/nothing": None,
    "/large": "x" * 2_000_000,
}


def handler(event, context):
    return VALUES[event["extensions"]["request"].path]
