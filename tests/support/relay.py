"""A relay between a client and a server, on the loopback address, that can misbehave."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading


class Relay:
    """Passes bytes on to ``port``; every connection and its end are counted.

    * ``reset`` ends all connections by RST, as a firewall that forgot them.
    * While ``refusing``, new connections are ended at once.
    * While ``stalled``, nothing is passed on, in either direction.
    """

    def __init__(self, port: int) -> None:
        self.connections = 0
        self.refusing = False
        self.stalled = False
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        """End all connections by RST."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                # Lingering for no time makes the end an RST.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                # Its thread wakes up; the last reference to go closes it.
                connection.shutdown(socket.SHUT_RD)
                connection.close()

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        self._listener.close()
        self.reset()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing:
                near.close()
                continue
            threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()

    def _pass_on(self, near: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            near,
            socket.create_connection(("127.0.0.1", self._target)) as far,
            selectors.DefaultSelector() as ready,
        ):
            with self._lock:
                self._open |= {near, far}
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while not self._closed.is_set():
                for key, _ in ready.select(0.5):
                    while self.stalled and not self._closed.wait(0.05):
                        pass
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)
