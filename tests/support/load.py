"""A steady load on one address, counted."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType


class Load:
    """Calls from a few threads while the block runs; every answer and every failure is counted.

    GET, or POST of ``body``. Each call is made on a connection of its own, as the calls of many clients are.
    Bounded: ends by itself after ``seconds``.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        threads: int = 4,
        pause: float = 0.01,
        seconds: float = 120,
        body: str | None = None,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
    ):
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._address = (host, port)
        self._pause = pause
        self._body = body
        self._path = path
        self._headers = dict(headers or {})
        self._deadline = time.monotonic() + seconds
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def count(self, body: str) -> int:
        """How many answers were this one so far."""
        with self._lock:
            return self.answers[body]

    def total(self) -> int:
        """How many answers there were so far."""
        with self._lock:
            return self.answers.total()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause) and time.monotonic() < self._deadline:
            try:
                answer = self._call()
            except OSError as error:
                with self._lock:
                    self.failures.append(
                        f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}"
                    )
            except http.client.HTTPException as error:
                with self._lock:
                    self.failures.append(
                        f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}"
                    )
            else:
                with self._lock:
                    self.answers[answer] += 1

    def _call(self) -> str:
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        try:
            method = "GET" if self._body is None else "POST"
            connection.request(method, self._path, self._body, self._headers)
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                raise http.client.HTTPException(f"{response.status} {body}")
            return body
        finally:
            connection.close()
