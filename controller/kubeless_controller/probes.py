"""/livez, /readyz and /metrics over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

Check = Callable[[], str]


class Probes:
    """A small HTTP server in a thread.

    ``alive`` and ``ready`` say what is wrong, or '' when nothing is; wrong is answered 503.
    """

    def __init__(self, port: int, alive: Check, ready: Check) -> None:
        checks = {"/livez": alive, "/readyz": ready}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
                elif path in checks:
                    wrong = checks[path]()
                    self._answer(503 if wrong else 200, "text/plain", (wrong or "ok").encode())
                else:
                    self._answer(404, "text/plain", b"there is /livez, /readyz and /metrics")

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing: probes come every few seconds."""

        self._server = ThreadingHTTPServer(("", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Begin to answer."""
        # The interval is how long an end takes at most.
        threading.Thread(
            target=lambda: self._server.serve_forever(poll_interval=0.1),
            name="probes",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
