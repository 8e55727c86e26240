"""One request: from the HTTP server's environ to the answer.

The HTTP server calls ``App`` on one of its pool threads, and the handler runs on
that very thread, or on the one that brings the last portion of the body: a hand-over
to another would halve the rate. The answer can be given from any thread, which is how
the watchdog answers for a handler that hangs.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubeless_runtime import event, metrics, response
from kubeless_runtime.access import AccessLog
from kubeless_runtime.board import Board, Region
from kubeless_runtime.calls import Call, Calls, RequestTimeout
from kubeless_runtime.config import Config
from kubeless_runtime.environ import build
from kubeless_runtime.response import Answer
from kubeless_runtime.stream import Stream
from kubeless_runtime.upload import Upload

if TYPE_CHECKING:
    from kubeless_runtime.coroutines import Loop

#: Types of results that are certainly no coroutines.
_PLAIN = frozenset((dict, list, str, int, float, bool, bytes, tuple, type(None)))

_CLOSE = ("connection", "close")
_CORS = ("access-control-allow-origin", "*")
_RETRY = ("retry-after", "1")

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
        self.body_limit = config.body_limit
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
        # The beginnings of ordinary answers.
        self._starts = {
            id(headers): self._start(Answer(200, headers, b""))
            for headers in (response.TEXT, response.JSON)
        }
        self.calls = Calls(
            board, region, config.timeout, config.concurrency, self._timed_out, self._stuck
        )

    def __call__(self, watcher: Any) -> None:
        """Answer one request; the HTTP server's callback, which must not raise."""
        try:
            self._begin(watcher, build(watcher.scope))
        except BaseException:  # noqa: BLE001 (granian would neither answer nor tell)
            traceback.print_exc(file=sys.stderr)
            watcher.done()  # 500, unless there was an answer

    def _begin(self, watcher: Any, environ: dict[str, Any]) -> None:
        method = environ["REQUEST_METHOD"]
        if method == "GET":
            path = environ["PATH_INFO"]
            if path == "/healthz":
                self._send(watcher, _STOPPING if self._board.draining else _OK)
                return
            if path == "/metrics":
                text = metrics.render(self._board.regions).encode()
                self._send(watcher, Answer(200, [("content-type", metrics.CONTENT_TYPE)], text))
                return
        elif method == "OPTIONS" and self._config.cors:
            self._send(watcher, _preflight(environ))
            return

        length = int(environ.get("CONTENT_LENGTH", 0))
        if not length and "HTTP_TRANSFER_ENCODING" in environ:
            length = -1
        call = self.calls.begin(watcher, environ, reading=length != 0)
        if call is None:
            self._send(watcher, _BUSY)
            self._write_log(environ, 503, len(_BUSY.body), 0.0)
        elif length:
            Upload(self, call, length).start()
        else:
            self.whole(call, b"")

    def whole(self, call: Call, body: bytes) -> None:
        """Call the handler with the whole body, and answer."""
        environ = call.environ
        environ["kubeless.body"] = body
        try:
            answer = self._call(call, environ)
            if not isinstance(answer.body, bytes):
                self._stream(call, answer)
                return
            if not answer.body and answer.status == 200 and environ["REQUEST_METHOD"] == "HEAD":
                answer = _empty(answer)
            call.token.pop()
        except (RequestTimeout, IndexError):
            # IndexError: the watchdog had the token, and its exception is on the way.
            self.calls.absorb(call)
            return
        self._answer(call, answer)

    def _answer(self, call: Call, answer: Answer) -> None:
        """End a call with its answer."""
        watcher, environ = call.watcher, call.environ
        seconds = time.monotonic() - call.started
        self.calls.end(call)
        if "kubeless.refused" not in environ:  # the handler was called
            self._recorder.record(environ["REQUEST_METHOD"], seconds, answer.status >= 500)
        self._send(watcher, answer)
        self._write_log(environ, answer.status, len(answer.body), seconds)

    def broken(self, call: Call) -> None:
        """The body will never be whole."""
        call.environ["kubeless.refused"] = True
        self._answer(call, _INCOMPLETE)

    def large(self, call: Call) -> None:
        """Answer at once; whoever reads the rest of the body ends the call."""
        answer = _closing(
            response.error(413, f"The request's body is larger than {self.body_limit} bytes")
        )
        call.environ["kubeless.answered"] = True
        self._send(call.watcher, answer)
        seconds = time.monotonic() - call.started
        self._write_log(call.environ, answer.status, len(answer.body), seconds)

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
        if type(result) in _PLAIN:
            return response.from_result(result, environ)
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
        watcher, environ = call.watcher, call.environ
        method = environ["REQUEST_METHOD"]
        start = self._start(answer)
        body = Stream(call, answer.body)
        environ["kubeless.answered"] = True
        failure: BaseException | None = None
        try:
            body.send(start, body=method != "HEAD")
        except RequestTimeout:
            raise
        except BaseException as error:  # noqa: BLE001 (sys.exit in a generator is a failure too)
            failure = error
        call.token.pop()
        seconds = time.monotonic() - call.started
        self.calls.end(call)
        if failure is None:
            body.end()
        else:
            self._failed(failure)
            watcher.done()  # cuts it off
        self._recorder.record(method, seconds, failure is not None or answer.status >= 500)
        self._write_log(environ, answer.status, body.size, seconds)

    def _timed_out(self, call: Call) -> None:
        """The watchdog took a call: answer it."""
        environ = call.environ
        seconds = time.monotonic() - call.started
        if "kubeless.answered" in environ:
            if "kubeless.body" in environ:  # a stream: cut it off
                call.watcher.done()
                self._recorder.record(environ["REQUEST_METHOD"], seconds, True)
                self._write_log(environ, 408, 0, seconds)
            return  # otherwise it is 413, and its client stopped sending
        self._recorder.record(environ["REQUEST_METHOD"], seconds, True)
        # A body that is not read to its end would keep the connection waiting.
        unread = "kubeless.body" not in environ
        self._send(call.watcher, _closing(_TIMEOUT) if unread else _TIMEOUT)
        self._write_log(environ, 408, len(_TIMEOUT.body), seconds)

    def _stuck(self, call: Call) -> None:
        path = call.environ.get("PATH_INFO", "")
        self._retire(f"a call of {path!r} did not end when its time was over")

    def _send(self, watcher: Any, answer: Answer) -> None:
        send = watcher.proto.send
        start = self._starts.get(id(answer.headers))
        if start is None or answer.status != 200 or self._board.draining:
            start = self._start(answer)
        with contextlib.suppress(RuntimeError):  # it has an answer: time was over just now
            send(start)
            send({"type": "http.response.body", "body": answer.body})

    def _start(self, answer: Answer) -> dict[str, Any]:
        """The message that begins an answer."""
        headers = [(name.encode(), value.encode()) for name, value in self._headers(answer.headers)]
        return {"type": "http.response.start", "status": answer.status, "headers": headers}

    def _headers(self, headers: response.Headers) -> response.Headers:
        if self._board.draining and _CLOSE not in headers:
            headers = [*headers, _CLOSE]
        if self._config.cors and not any(name == _CORS[0] for name, _ in headers):
            headers = [*headers, _CORS]
        return headers

    def _write_log(self, environ: dict[str, Any], status: int, size: int, seconds: float) -> None:
        if self._log is not None:
            self._log.write(environ, status, size, seconds)

    def finish(self) -> None:
        """The process ends: write what is still to be logged."""
        if self._log is not None:
            self._log.flush()

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
