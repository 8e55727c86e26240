"""What is Python's own to return or raise: tuples, responses, coroutines; the rest is in tests/conformance."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from .conftest import Serve, Server


def returning(expression: str) -> str:
    return f"def handler(event, context):\n    return {expression}\n"


def test_tuple_that_is_no_answer_is_a_list(serve: Serve) -> None:
    reply = serve(returning("(1, 2, 3, 4)")).get()
    assert (reply.headers["content-type"], reply.json()) == ("application/json", [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("expression", "status", "headers", "body"),
    [
        ("('made', 201)", 201, {}, "made"),
        ("('made', 201, {'X-A': 'b'})", 201, {"x-a": "b"}, "made"),
        ("('made', 201, [('X-A', 'b')])", 201, {"x-a": "b"}, "made"),
        ("('x', {'Content-Type': 'text/plain'})", 200, {"content-type": "text/plain"}, "x"),
        ("({'a': 1}, 202)", 202, {"content-type": "application/json"}, '{"a": 1}'),
        ("(None, 204)", 204, {}, ""),
    ],
)
def test_body_status_headers(
    serve: Serve, expression: str, status: int, headers: dict[str, str], body: str
) -> None:
    reply = serve(returning(expression)).get()
    assert (reply.status, reply.text) == (status, body)
    assert headers.items() <= dict(reply.headers).items()


def test_flask_response(serve: Serve) -> None:
    server = serve(
        """
        import flask
        def handler(event, context):
            response = flask.Response("body", 418, {"X-A": "b"})
            response.set_cookie("c", "d")
            return response
        """
    )
    reply = server.get()
    assert (reply.status, reply.text, reply.headers["x-a"]) == (418, "body", "b")
    assert reply.headers["set-cookie"] == "c=d; Path=/"
    assert server.request("HEAD").headers["content-length"] == "4"


def test_streamed_flask_response(serve: Serve) -> None:
    server = serve(
        """
        import flask
        def handler(event, context):
            return flask.Response((str(n) for n in range(3)), mimetype="text/plain")
        """
    )
    assert server.get().text == "012"


BOTTLE = """
    class HTTPResponse(Exception):
        def __init__(self, body="", status=200, **headers):
            self.body, self.status_code = body, status
            self.headerlist = [(k.replace("_", "-"), v) for k, v in headers.items()]
    def handler(event, context):
        {} HTTPResponse({}, 203, X_A="b")
"""


@pytest.mark.parametrize("verb", ["return", "raise"])
def test_bottle_response_is_recognised_by_shape(serve: Serve, verb: str) -> None:
    reply = serve(BOTTLE.format(verb, "'hi'")).get()
    assert (reply.status, reply.text, reply.headers["x-a"]) == (203, "hi", "b")


def test_bottle_response_with_a_dict(serve: Serve) -> None:
    assert serve(BOTTLE.format("raise", "{'a': 1}")).get().json() == {"a": 1}


def test_file_is_streamed(serve: Serve) -> None:
    server = serve("import io\ndef handler(event, context):\n    return io.BytesIO(b'x' * 100000)")
    assert len(server.get().body) == 100_000


def test_async_handler(serve: Serve) -> None:
    server = serve(
        """
        import asyncio
        async def handler(event, context):
            await asyncio.sleep(0.01)
            return {"loop": asyncio.get_running_loop().is_running()}
        """
    )
    assert server.get().json() == {"loop": True}


def test_async_iterator_is_streamed(serve: Serve) -> None:
    server = serve(
        """
        import asyncio
        async def handler(event, context):
            for n in range(3):
                await asyncio.sleep(0)
                yield str(n)
        """
    )
    assert server.get().text == "012"


def test_async_calls_run_side_by_side(serve: Serve) -> None:
    server = serve(
        """
        import asyncio
        arrived = []
        async def handler(event, context):
            arrived.append(1)
            while len(arrived) < 2:
                await asyncio.sleep(0.01)
            return "both"
        """
    )
    replies = in_parallel(server, 2)
    assert [reply.text for reply in replies] == ["both", "both"]


def in_parallel(server: Server, count: int, **options: Any) -> list[Any]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: server.request(**options), range(count)))


@pytest.mark.parametrize(
    ("source", "traceback"),
    [
        ("async def handler(event, context):\n    return {}['secret']", "KeyError: 'secret'"),
        ("import sys\nasync def handler(event, context):\n    sys.exit(3)", "SystemExit: 3"),
        ("def handler(event, context):\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def handler():\n    pass", "TypeError: handler() takes 0 positional arguments"),
    ],
)
def test_failing_handler_is_500_with_the_traceback_in_the_log_only(
    serve: Serve, source: str, traceback: str
) -> None:
    server = serve(source)
    for _ in range(2):  # and the server goes on
        reply = server.get()
        assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert traceback in server.output()
    assert "kubeless_runtime/app.py" not in server.output()


def test_deep_recursion_in_native_code_is_500_not_a_crash(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, context):
            nested = []
            for _ in range(200_000):
                nested = [nested]
            try:
                repr(nested)
            finally:
                while nested:  # taken apart by hand: freeing it would recurse, too
                    nested = nested.pop()
        """
    )
    worker = server.workers()
    assert [server.get().status for _ in range(3)] == [500] * 3
    assert "RecursionError" in server.output()
    assert server.workers() == worker


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("object()", "the handler returned a object"),
        ("{1, 2}", "the handler returned a set"),
        ("[[].append] * 2", "is no JSON"),
        ("__import__('flask').Response('x', 99)", "the status 99"),
        ("__import__('flask').Response('x', 1000)", "the status 1000"),
        ("{'a': object()}", "is no JSON"),
        ("('x', 999)", "the status 999"),
        ("('x', 200, {'a b': 'c'})", "the header 'a b'"),
        ("('x', 200, {'a': 'b\\r\\nc: d'})", "the header 'a'"),
        ("('x', 200, {'a': 'é'})", "the header 'a'"),
        ("'\\ud800'", "no Unicode"),
    ],
)
def test_value_that_cannot_be_sent_is_500_and_says_why(
    serve: Serve, expression: str, reason: str
) -> None:
    server = serve(returning(expression))
    assert server.get().status == 500
    assert reason in server.output()


def test_value_that_contains_itself_is_500_and_says_why(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, context):
            value = []
            value.append(value)
            return value
        """
    )
    assert server.get().status == 500
    assert "Circular reference detected" in server.output()


def test_iterator_of_something_else_is_cut_off_and_says_why(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return iter([1])")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        server.get()
    assert "iterator gave a int" in server.output()
