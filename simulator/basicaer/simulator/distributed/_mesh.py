"""Ranks that are connected by TCP, each to each other.

Each way between two ranks is a connection of its own, so that one thread can send while another receives,
also through TLS. Who connects, and who is connected to, show each other by an HMAC (RFC 2104, with SHA-256)
of fresh random numbers that they know the job's secret; by another one they get a key for the connection.
Behind that, each MiB has a GMAC (AES-GCM of nothing but additional data; NIST SP 800-38D) by that key and its
number: what was changed, repeated or left out on the way ends the run. An HMAC of all data took five times as
long, longer than to send it. Nothing is encrypted without TLS.
"""

from __future__ import annotations

import contextlib
import hmac
import queue
import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationCancelled
from basicaer.simulator.distributed._transport import PeerLost, Transport

if TYPE_CHECKING:
    from typing import Self

__all__ = ["CHUNK_BYTES", "Mesh", "TlsContexts", "listen"]

CHUNK_BYTES = 1 << 20
"""What is sent with one code."""

# Between two looks whether the run was cancelled (seconds).
_LOOK = 0.1
_NONCE = 32
_DIGEST = "sha256"
_PROOF = 32
_CODE = 16
_HELLO = struct.Struct("<II")
_LENGTH = struct.Struct("<Q")
_NUMBER = 12
_BUFFER_BYTES = 4 << 20
# Who has connected shows within so many seconds that it is a rank.
_PROVING = 5.0
# A peer whose machine is gone is noticed after so many seconds of silence, in steps.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4))


class TlsContexts(NamedTuple):
    """How a rank shows others its certificate, and checks theirs."""

    server: ssl.SSLContext
    client: ssl.SSLContext

    @classmethod
    def of(cls, certificate: str, key: str, authority: str) -> TlsContexts:
        """Return those of a rank whose certificate and key lie in these files, and of whose peers those of
        the authority's file have made theirs. Names aren't compared: ranks know each other by their secret.

        Raises:
            OSError: A file can't be read, or isn't what it should be.
        """
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        for context in (server, client):
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cafile=authority)
            context.load_cert_chain(certificate, key)
        return cls(server, client)


def listen(host: str) -> tuple[socket.socket, int]:
    """Return a socket that other ranks connect to, and its port, which the system chooses."""
    listener = socket.create_server((host, 0), backlog=256)
    return listener, listener.getsockname()[1]


class _Way:
    """One direction of a connection, with the key and the number of what comes next."""

    __slots__ = ("_cipher", "_next", "_socket", "other")

    def __init__(self, connection: socket.socket, key: bytes, other: int) -> None:
        self._socket = connection
        # Most who import this simulate in one process, and may not have it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)
        self._next = 0
        self.other = other
        connection.settimeout(_LOOK)

    def put(self, data: memoryview, control: RunControl) -> None:
        """Send bytes with their code."""
        self._write(memoryview(self._code(data)), control)
        self._write(data, control)

    def take(self, data: memoryview, control: RunControl) -> None:
        """Receive as many bytes, and check them."""
        code = bytearray(_CODE)
        self._read(memoryview(code), control)
        self._read(data, control)
        if not hmac.compare_digest(code, self._code(data)):
            raise PeerLost(f"what came from rank {self.other} isn't what it sent: its code is wrong")

    def close(self) -> None:
        """End the connection; who waits for it wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _code(self, data: memoryview) -> bytes:
        # No number is used twice with a key, which is of this direction of this connection alone.
        number = self._next.to_bytes(_NUMBER, "big")
        self._next += 1
        return self._cipher.encrypt(number, b"", data)

    def _write(self, data: memoryview, control: RunControl) -> None:
        while data:
            control.check()
            with contextlib.suppress(TimeoutError, ssl.SSLWantWriteError):
                data = data[self._socket.send(data) :]

    def _read(self, data: memoryview, control: RunControl) -> None:
        while data:
            control.check()
            with contextlib.suppress(TimeoutError, ssl.SSLWantReadError):
                count = self._socket.recv_into(data)
                if not count:
                    raise ConnectionError("the connection was closed")
                data = data[count:]


class Mesh(Transport):
    """The ranks' connections. Make it by `connect`."""

    def __init__(self, rank: int, outward: dict[int, _Way], inward: dict[int, _Way]) -> None:
        """`outward` and `inward` have the ways to and from each other rank."""
        self.rank = rank
        self.size = len(outward) + 1
        self.bytes_sent = 0
        self._outward, self._inward = outward, inward
        self._closed = threading.Event()
        self._buffer = bytearray(CHUNK_BYTES)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"rank-{rank}", daemon=True).start()

    @classmethod
    def connect(
        cls,
        rank: int,
        addresses: Sequence[tuple[str, int]],
        listener: socket.socket,
        secret: bytes,
        timeout: float = 30.0,
        tls: TlsContexts | None = None,
    ) -> Self:
        """Connect this rank with the others, which listen at `addresses`, in the order of their ranks.

        `listener` is this rank's own socket, which is closed. All have the same `secret`, at least 16 random
        bytes. `timeout`: seconds.

        Raises:
            PeerLost: Another rank didn't come in time, or doesn't know the secret.
        """
        deadline = time.monotonic() + timeout
        outward: dict[int, _Way] = {}
        inward: dict[int, _Way] = {}
        failed: list[OSError] = []
        ended = threading.Event()

        def accept() -> None:
            try:
                while len(inward) < len(addresses) - 1:
                    way = _accepted(listener, rank, len(addresses), secret, deadline, tls)
                    if way is not None and ended.is_set():
                        way.close()
                    elif way is not None:
                        inward[way.other] = way
            except OSError as error:
                failed.append(error)

        accepting = threading.Thread(target=accept, name=f"rank-{rank}-accept", daemon=True)
        accepting.start()
        try:
            for other, address in enumerate(addresses):
                if other != rank:
                    outward[other] = _connected(address, rank, other, secret, deadline, tls)
            accepting.join(max(0.0, deadline - time.monotonic()) + 1.0)
            if failed or len(inward) < len(addresses) - 1:
                missing = sorted(set(range(len(addresses))) - {rank, *inward})
                raise PeerLost(f"ranks {missing} didn't connect to rank {rank} within {timeout:g} s")
        except BaseException:
            ended.set()
            for way in (*outward.values(), *inward.values()):
                way.close()
            raise
        finally:
            listener.close()
        return cls(rank, outward, inward)

    def swap(self, other: int, slab: npt.NDArray[np.complexfloating], control: RunControl) -> None:
        """See `Transport.swap`. It takes a MiB beside."""
        view = _bytes_of(slab)
        buffer = memoryview(self._buffer)
        with self._carried(other, view, control) as sent:
            for at in range(0, len(view), CHUNK_BYTES):
                part = view[at : at + CHUNK_BYTES]
                came = buffer[: len(part)]
                self._inward[other].take(came, control)
                # What lies there must be on its way before it is overwritten.
                sent()
                part[:] = came

    def trade(
        self,
        other: int,
        given: npt.NDArray[np.complexfloating],
        taken: npt.NDArray[np.complexfloating],
        control: RunControl,
    ) -> None:
        """See `Transport.trade`."""
        view, into = _bytes_of(given), _bytes_of(taken)
        with self._carried(other, view, control) as sent:
            for at in range(0, len(into), CHUNK_BYTES):
                self._inward[other].take(into[at : at + CHUNK_BYTES], control)
            for _ in range(0, len(view), CHUNK_BYTES):
                sent()

    def send(self, other: int, data: bytes | bytearray | memoryview, control: RunControl) -> None:
        """See `Transport.send`."""
        view = memoryview(data)
        with self._told(other):
            self._outward[other].put(memoryview(_LENGTH.pack(len(view))), control)
            for at in range(0, len(view), CHUNK_BYTES):
                self._outward[other].put(view[at : at + CHUNK_BYTES], control)
        self.bytes_sent += len(view)

    def receive(self, other: int, control: RunControl) -> bytearray:
        """See `Transport.receive`."""
        head = bytearray(_LENGTH.size)
        with self._told(other):
            self._inward[other].take(memoryview(head), control)
            data = bytearray(_LENGTH.unpack(head)[0])
            view = memoryview(data)
            for at in range(0, len(view), CHUNK_BYTES):
                self._inward[other].take(view[at : at + CHUNK_BYTES], control)
        return data

    def close(self) -> None:
        """See `Transport.close`."""
        self._closed.set()
        self._jobs.put(None)
        for way in (*self._outward.values(), *self._inward.values()):
            way.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    @contextlib.contextmanager
    def _told(self, other: int) -> Iterator[None]:
        """Tell what a broken connection means."""
        try:
            yield
        except OSError as error:
            if self._closed.is_set():
                raise SimulationCancelled from error
            raise PeerLost(f"rank {other} is gone: {error}") from error

    @contextlib.contextmanager
    def _carried(self, other: int, view: memoryview, control: RunControl) -> Iterator[Callable[[], None]]:
        """Send a view on the other thread, chunk by chunk; what this gives waits until one more is sent."""
        done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        way = self._outward[other]

        def carry() -> None:
            try:
                for at in range(0, len(view), CHUNK_BYTES):
                    way.put(view[at : at + CHUNK_BYTES], control)
                    done.put(None)
            except BaseException as error:
                # It is raised where the run is.
                done.put(error)

        def sent() -> None:
            if (error := done.get()) is not None:
                raise error

        self._jobs.put(carry)
        with self._told(other):
            yield sent
        self.bytes_sent += len(view)


def _bytes_of(array: npt.NDArray[np.complexfloating]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _proof(secret: bytes, name: bytes, *parts: bytes) -> bytes:
    return hmac.digest(secret, name + b"".join(parts), _DIGEST)


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise TimeoutError("another rank is late")
    return left


def _prepare(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise ConnectionError("the connection was closed")
        found += part
    return found


def _connected(
    address: tuple[str, int], rank: int, other: int, secret: bytes, deadline: float, tls: TlsContexts | None
) -> _Way:
    """Return the way to another rank.

    Raises:
        PeerLost: It isn't there, or doesn't know the secret.
    """
    connection: socket.socket | None = None
    try:
        connection = socket.create_connection(address, timeout=_remaining(deadline))
        _prepare(connection)
        if tls is not None:
            connection = tls.client.wrap_socket(connection, server_hostname=address[0])
        hello = _HELLO.pack(rank, other)
        theirs = _exactly(connection, _NONCE)
        ours = secrets.token_bytes(_NONCE)
        connection.sendall(hello + ours + _proof(secret, b"caller", hello, theirs, ours))
        if not hmac.compare_digest(
            _exactly(connection, _PROOF), _proof(secret, b"called", hello, theirs, ours)
        ):
            raise ConnectionError("it doesn't know the secret of this job")
    except OSError as error:
        if connection is not None:
            connection.close()
        raise PeerLost(f"rank {other} at {address[0]}:{address[1]} can't be reached: {error}") from error
    return _Way(connection, _proof(secret, b"key", hello, theirs, ours), other)


def _accepted(
    listener: socket.socket, rank: int, size: int, secret: bytes, deadline: float, tls: TlsContexts | None
) -> _Way | None:
    """Return the way from another rank that has connected; None for who doesn't know the secret."""
    listener.settimeout(_remaining(deadline))
    connection, _ = listener.accept()
    try:
        connection.settimeout(min(_PROVING, _remaining(deadline)))
        _prepare(connection)
        if tls is not None:
            connection = tls.server.wrap_socket(connection, server_side=True)
        ours = secrets.token_bytes(_NONCE)
        connection.sendall(ours)
        hello = _exactly(connection, _HELLO.size)
        theirs = _exactly(connection, _NONCE)
        proof = _exactly(connection, _PROOF)
        other, called = _HELLO.unpack(hello)
        known = hmac.compare_digest(proof, _proof(secret, b"caller", hello, ours, theirs))
        if not known or called != rank or not 0 <= other < size or other == rank:
            raise ConnectionError("it isn't one of this job's ranks")
        connection.sendall(_proof(secret, b"called", hello, ours, theirs))
    except OSError:
        # A stranger, or one that was cut off: others may still come.
        connection.close()
        return None
    return _Way(connection, _proof(secret, b"key", hello, ours, theirs), other)
