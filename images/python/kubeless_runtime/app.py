"""One request: from the HTTP server's environ to the answer.

The HTTP server calls ``App`` on one of its pool threads, and the handler runs on
that very thread: a hand-over to another would halve the rate. The answer can be
given from any thread, which is how the watchdog answers for a handler that hangs.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kubeless_runtime import event, metrics, response
from kubeless_runtime.access import AccessLog
from kubeless_runtime.board import Board, Region
from kubeless_runtime.calls import Call, Calls, RequestTimeout
from kubeless_runtime.config import Config
from kubeless_runtime.response import Answer

if TYPE_CHECKING:
    from kubeless_runtime.coroutines import Loop

_CLOSE = ("connection", "close")
_CORS = ("access-control-allow-origin", "*")
_RETRY = ("retry-after", "1")

#: Bytes of a refused body that are still read, and how many at a time.
_DISCARD = 8 * 1024 * 1024
_CHUNK = 64 * 1024

_OK = Answer(200, response.PLAIN, b"OK")
_STOPPING = Answer(503, response.PLAIN, b"stopping")
_BUSY = Answer(503, [*response.PLAIN, _RETRY], b"Too many requests are running")
_FAILED = response.error(500, "Internal Server Error")
_TIMEOUT = response.error(408, "Request timeout exceeded")
_INCOMPLETE = response.error(400, "The request's body is incomplete")


class App:
    """Serves one function. ``retire`` asks the supervisor for a fresh worker."""

    def __init__(
        self,
        config: Config,
        handler: Callable[..., Any],
        board: Board,
        region: Region,
        retire: Callable[[str], None],
    ) -> None:
        self._config = config
        self._handler = handler
        self._context = event.context(config)
        self._board = board
        self._retire = retire
        self._recorder = metrics.Recorder(region)
        self._log = AccessLog() if config.access_log else None
        self._loop: Loop | None = None
        self._flask: Any = None
        self._lazy = threading.Lock()
        # A function that imported Flask may use flask.request, jsonify and the like.
        self._in_flask = callable(getattr(sys.modules.get("flask"), "Flask", None))
        self.calls = Calls(
            board, region, config.timeout, config.concurrency, self._timed_out, self._stuck
        )

    def __call__(self, proto: Any, environ: dict[str, Any]) -> None:
        """Answer one request; the HTTP server's callback."""
        method = environ["REQUEST_METHOD"]
        if method == "GET":
            path = environ["PATH_INFO"]
            if path == "/healthz":
                self._send(proto, _STOPPING if self._board.draining else _OK)
                return
            if path == "/metrics":
                text = metrics.render(self._board.regions).encode()
                self._send(proto, Answer(200, [("content-type", metrics.CONTENT_TYPE)], text))
                return
        elif method == "OPTIONS" and self._config.cors:
            self._send(proto, _preflight(environ))
            return

        call = self.calls.begin(proto, environ)
        if call is None:
            self._send(proto, _BUSY)
            self._write_log(environ, 503, len(_BUSY.body), 0.0)
            return
        try:
            refused = self._read_body(environ)
            if refused is None:
                answer = self._call(call, environ)
                if not isinstance(answer.body, bytes):
                    self._stream(call, answer)
                    return
                if method == "HEAD" and not answer.body and answer.status == 200:
                    answer = _empty(answer)
            else:
                answer = refused
                environ["kubeless.refused"] = True
                if answer.status == 413:
                    self._send(proto, answer)
                    environ["kubeless.answered"] = True
                    _discard(environ["wsgi.input"])
            call.token.pop()
        except (RequestTimeout, IndexError):
            # IndexError: the watchdog had the token, and its exception is on the way.
            self.calls.absorb(call)
            return
        seconds = time.monotonic() - call.started
        self.calls.end(call)
        if "kubeless.refused" not in environ:  # the handler was called
            self._recorder.record(method, seconds, answer.status >= 500)
        self._send(proto, answer)  # does nothing when it was sent already
        self._write_log(environ, answer.status, len(answer.body), seconds)

    def _read_body(self, environ: dict[str, Any]) -> Answer | None:
        """Read the body into the environ; the answer when it can't be taken."""
        limit = self._config.body_limit
        length = environ.get("CONTENT_LENGTH")
        if length is None:
            if "HTTP_TRANSFER_ENCODING" not in environ:
                environ["kubeless.body"] = b""
                return None
            body = environ["wsgi.input"].read(limit + 1)
        else:
            if int(length) > limit:
                return _too_large(limit)
            body = environ["wsgi.input"].read()
            if len(body) != int(length):
                return _INCOMPLETE
        if len(body) > limit:
            return _too_large(limit)
        environ["kubeless.body"] = body
        return None

    def _call(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Run the handler; what it did as an answer. Raises RequestTimeout only."""
        body = environ["kubeless.body"]
        request = Request(self, environ)
        try:
            try:
                arguments = event.build(environ, body, request.get)
            except event.InvalidJson as error:
                environ["kubeless.refused"] = True
                return response.error(400, f"Invalid JSON in the request's body: {error}")
            if self._in_flask:
                with self._flask_app().request_context(request.environ()) as frame:
                    request.value = frame.request
                    return self._run(call, environ, arguments)
            return self._run(call, environ, arguments)
        except RequestTimeout:
            raise
        except BaseException as error:  # noqa: BLE001 (sys.exit in a handler is a 500)
            try:
                answer = response.from_response(error, environ)
            except Exception:  # noqa: BLE001 (a broken response is told as what was raised)
                answer = None
            if answer is not None:
                return answer
            return self._failed(error)

    def _run(self, call: Call, environ: dict[str, Any], arguments: dict[str, Any]) -> Answer:
        result = self._handler(arguments, self._context.copy())
        if hasattr(result, "__await__"):
            result = self._async_loop().wait(result, call)
        if hasattr(result, "__anext__"):
            result = self._async_loop().iterate(result, call)
        return response.from_result(result, environ)

    def _failed(self, error: BaseException) -> Answer:
        """500: the client learns that, the log learns why."""
        if isinstance(error, response.ReturnError):
            text = f"kubeless: {error}\n"
        else:
            tb = error.__traceback__
            while tb is not None and tb.tb_frame.f_code.co_filename.startswith(_HERE):
                tb = tb.tb_next
            text = "".join(traceback.format_exception(type(error), error, tb))
        sys.stderr.write(text)
        return _FAILED

    def _stream(self, call: Call, answer: Answer) -> None:
        """Send an iterator's chunks. The call's time runs until the last one."""
        body = Stream(answer.body, self._stream_failed, call)
        call.proto.response_iter(answer.status, self._headers(answer.headers), body)
        environ, method = call.environ, call.environ["REQUEST_METHOD"]
        call.token.pop()
        seconds = time.monotonic() - call.started
        self.calls.end(call)
        self._recorder.record(method, seconds, answer.status >= 500)
        self._write_log(environ, answer.status, body.size, seconds)

    def _stream_failed(self, call: Call, error: BaseException) -> None:
        """End a stream that can't go on, so that its client notices. Does not return.

        The HTTP server can only end a stream properly, which would make a part look like the
        whole. So the connection stays open until this worker, which is replaced, is gone.
        """
        try:
            if call.token:
                call.token.pop()
                self._failed(error)
                self._recorder.record(
                    call.environ["REQUEST_METHOD"], time.monotonic() - call.started, True
                )
                self.calls.abandon(call)
                self._retire("a stream failed half-way")
        except (RequestTimeout, IndexError):
            pass  # the watchdog sees to it
        while True:
            try:
                time.sleep(3600)
            except RequestTimeout:
                continue

    def _timed_out(self, call: Call) -> None:
        """The watchdog took a call: answer it."""
        environ = call.environ
        if "kubeless.answered" in environ:
            return  # 413, and its client stopped sending
        seconds = time.monotonic() - call.started
        self._recorder.record(environ["REQUEST_METHOD"], seconds, True)
        # A body that is not read to its end would keep the connection, and its reader, waiting.
        unread = "kubeless.body" not in environ
        self._send(call.proto, _closing(_TIMEOUT) if unread else _TIMEOUT)
        self._write_log(environ, 408, len(_TIMEOUT.body), seconds)

    def _stuck(self, call: Call) -> None:
        path = call.environ.get("PATH_INFO", "")
        self._retire(f"a call of {path!r} did not end when its time was over")

    def _send(self, proto: Any, answer: Answer) -> None:
        proto.response_bytes(answer.status, self._headers(answer.headers), answer.body)

    def _headers(self, headers: response.Headers) -> response.Headers:
        if self._board.draining and _CLOSE not in headers:
            headers = [*headers, _CLOSE]
        if self._config.cors and not any(name == _CORS[0] for name, _ in headers):
            headers = [*headers, _CORS]
        return headers

    def _write_log(self, environ: dict[str, Any], status: int, size: int, seconds: float) -> None:
        if self._log is not None:
            self._log.write(environ, status, size, seconds)

    def _async_loop(self) -> Loop:
        with self._lazy:
            if self._loop is None:
                from kubeless_runtime.coroutines import Loop

                self._loop = Loop()
            return self._loop

    def _flask_app(self) -> Any:
        with self._lazy:
            if self._flask is None:
                from kubeless_runtime.request import make_app

                self._flask = make_app()
            return self._flask

    def wants_request(self) -> bool:
        """Whether the function looks like one that uses its request."""
        if self._in_flask:
            return True
        try:
            with open(self._config.source, "rb") as file:
                return b"extensions" in file.read()
        except OSError:
            return False

    def prepare_flask(self) -> None:
        """Import Flask ahead of the first request that needs it."""
        self._flask_app()


class Request:
    """Makes a call's request object at most once."""

    __slots__ = ("_app", "_environ", "value")

    def __init__(self, app: App, environ: dict[str, Any]) -> None:
        self._app = app
        self._environ = environ
        self.value: Any = None

    def environ(self) -> dict[str, Any]:
        """The WSGI environ."""
        self._app.prepare_flask()
        from kubeless_runtime.request import wsgi_environ

        return wsgi_environ(self._environ, self._environ["kubeless.body"])

    def get(self) -> Any:
        """The request."""
        if self.value is None:
            from kubeless_runtime.request import Request as FlaskRequest

            self.value = FlaskRequest(self.environ())
        return self.value


class Stream:
    """Hands an iterator's chunks to the HTTP server as bytes."""

    def __init__(
        self, source: Iterator[Any], failed: Callable[[Call, BaseException], None], call: Call
    ) -> None:
        self._source = source
        self._failed = failed
        self._call = call
        self.size = 0

    def __next__(self) -> bytes:
        try:
            chunk = next(self._source)
            while not chunk and isinstance(chunk, str | bytes):
                chunk = next(self._source)  # an empty chunk would end the stream
            data = chunk.encode() if isinstance(chunk, str) else bytes(_checked(chunk))
        except StopIteration:
            raise
        except BaseException as error:
            self._failed(self._call, error)
            raise
        self.size += len(data)
        return data

    def close(self) -> None:
        """Called at the end, or when the client went away."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


def _checked(chunk: Any) -> Any:
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise response.ReturnError(
            f"the handler's iterator gave a {type(chunk).__name__}; it may give text or bytes"
        )
    return chunk


def _too_large(limit: int) -> Answer:
    return _closing(response.error(413, f"The request's body is larger than {limit} bytes"))


def _discard(body: Any) -> None:
    """Read on for a while after a refusal: most clients look for an answer when all is sent."""
    for _ in range(_DISCARD // _CHUNK):
        if not body.read(_CHUNK):
            return


def _closing(answer: Answer) -> Answer:
    """The same answer, after which the connection is closed."""
    return answer._replace(headers=[*answer.headers, _CLOSE])


def _empty(answer: Answer) -> Answer:
    """The same answer with the length that GET would have had; of no body the server says none."""
    if any(name == "content-length" for name, _ in answer.headers):
        return answer
    return answer._replace(headers=[*answer.headers, ("content-length", "0")])


def _preflight(environ: dict[str, Any]) -> Answer:
    """The answer to OPTIONS while CORS is on."""
    headers = [
        ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (
            "access-control-allow-headers",
            environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS") or "Content-Type",
        ),
        ("access-control-max-age", "86400"),
    ]
    return Answer(204, headers, b"")


_HERE = __file__.rpartition("/")[0]
