"""Stands between a store and its database, and loses answers."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

PIECE = 65_536
SOCKET = ".s.PGSQL.5432"


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
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        # The next answer ends its connection, instead of arriving. So does every connection attempt from then
        # on, while `shut`.
        self.lose_answer = threading.Event()
        self.shut = threading.Event()

    def url(self, url: str) -> str:
        """The same database, by way of this."""
        parts = urlsplit(url)
        target = self._target.removesuffix(f"/{SOCKET}")
        return urlunsplit(
            parts._replace(query=parts.query.replace(f"host={target}", f"host={self._own.name}"))
        )

    def cut(self) -> None:
        """Break all connections off."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()
        self._own.cleanup()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.shut.is_set():
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._sockets += [client, server]
                for pair in ((client, server, False), (server, client, True)):
                    thread = threading.Thread(target=self._forward, args=pair)
                    thread.start()
                    self._threads.append(thread)

    def _forward(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                if answers and self.lose_answer.is_set():
                    self.lose_answer.clear()
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
