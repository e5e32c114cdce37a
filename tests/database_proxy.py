"""Stands between a server and its database, and loses answers, connections, or all that goes by."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

PIECE = 65_536
SOCKET = ".s.PGSQL.5432"


class _Pair:
    """A connection's two ends; each has a thread that forwards what it says."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self._lock = threading.Lock()
        self._forwarding = 2

    def end(self) -> None:
        with self._lock:
            if self._forwarding:
                for one in (self.client, self.server):
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Take note that one of the threads has ended."""
        self.end()
        with self._lock:
            self._forwarding -= 1
            if not self._forwarding:
                self.client.close()
                self.server.close()


class DatabaseProxy:
    """A Unix socket of its own, in front of that of a database."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the database's socket is."""
        self._target = str(folder / SOCKET)
        # Names of sockets are short, and pytest's folders aren't.
        self._own = tempfile.TemporaryDirectory(prefix="basicaer-proxy-")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._own.name}/{SOCKET}")
        self._listener.listen()
        self._pairs: dict[_Pair, tuple[threading.Thread, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        # The next answer ends its connection, instead of arriving. So does every connection attempt from then
        # on, while `shut`.
        self.lose_answer = threading.Event()
        self.shut = threading.Event()
        # Unless this is set, nothing arrives, and no connection ends.
        self.flowing = threading.Event()
        self.flowing.set()

    def url(self, url: str) -> str:
        """The same database, by way of this."""
        parts = urlsplit(url)
        target = self._target.removesuffix(f"/{SOCKET}")
        return urlunsplit(
            parts._replace(query=parts.query.replace(f"host={target}", f"host={self._own.name}"))
        )

    def cut(self) -> None:
        """Break all connections off."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.end()

    def close(self) -> None:
        """End it."""
        self.flowing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.cut()
        for threads in list(self._pairs.values()):
            for thread in threads:
                thread.join()
        self._own.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                if self.shut.is_set():
                    raise ConnectionRefusedError
                server.connect(self._target)
            except OSError:
                # The database isn't there now.
                client.close()
                server.close()
                continue
            self._begin(_Pair(client, server))

    def _begin(self, pair: _Pair) -> None:
        threads = (
            threading.Thread(target=self._forward, args=(pair, pair.client, pair.server, False)),
            threading.Thread(target=self._forward, args=(pair, pair.server, pair.client, True)),
        )
        with self._lock:
            # Whose threads have ended are forgotten.
            self._pairs = {
                each: its for each, its in self._pairs.items() if any(thread.is_alive() for thread in its)
            }
            self._pairs[pair] = threads
            for thread in threads:
                thread.start()

    def _forward(self, pair: _Pair, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                self.flowing.wait()
                if answers and self.lose_answer.is_set():
                    self.lose_answer.clear()
                    break
                target.sendall(data)
        pair.leave()
