"""What is Python's own about events: the real dict, the lazy request; the rest is in tests/conformance."""

from __future__ import annotations

import pytest

from .conftest import Serve

SHOW = """
    def handler(event, context):
        data = event["data"]
        return {"type": type(data).__name__, "data": data.decode() if isinstance(data, bytes) else data}
"""


def test_json_in_utf_16(serve: Serve) -> None:
    assert serve(SHOW).post('"é"'.encode("utf-16"), "application/json").json()["data"] == "é"


@pytest.mark.parametrize(
    "look",
    [
        'event["extensions"]["request"]', 'event["extensions"].get("request")',
        'dict(event["extensions"])["request"]', '{**event["extensions"]}["request"]',
        'list(event["extensions"].items())[0][1]', 'list(event["extensions"].values())[0]',
        'event["extensions"].copy()["request"]', 'event["extensions"].pop("request")',
        '(event["extensions"] | {"x": 1})["request"]', 'event["extensions"].setdefault("request")',
    ],
)  # fmt: skip
def test_extensions_is_a_dict_with_the_request(serve: Serve, look: str) -> None:
    server = serve(
        f"""
        def handler(event, context):
            assert isinstance(event["extensions"], dict) and list(event["extensions"]) == ["request"]
            return {look}.get_header("x-probe")
        """
    )
    assert server.get("/", **{"x-probe": "seen"}).text == "seen"


def test_event_prints_its_values(serve: Serve) -> None:
    text = serve("def handler(event, context):\n    return repr(event)").get("/a?b=c").text
    assert "'data': b''" in text
    assert "'extensions': {'request': <Request 'http" in text


def test_flask_is_not_imported_for_a_handler_that_does_not_ask(serve: Serve) -> None:
    server = serve("import sys\ndef handler(event, context):\n    return 'flask' in sys.modules")
    assert server.get().json() is False
