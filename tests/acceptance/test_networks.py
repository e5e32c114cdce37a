"""The real client and the real server with a bad network between them: a proxy that cuts, swallows and
stalls.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from basicaer.client import BasicAerJob, BasicAerProvider, Circuit, JobStatus
from numpy.typing import NDArray

LIMIT = 60.0


class Proxy:
    """Forwards TCP connections to a server.

    `cut()` breaks all of them; `cut_after` breaks each one after so many bytes from the server; with
    `swallow` set, what the server says is lost, though it hears the client.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_after: int | None = None
        self.cuts = 0
        self.swallow = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def cut(self) -> None:
        """Breaks every connection."""
        for pair in list(self._pairs):
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends it."""
        self._closed = True
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT)
        self._listener.close()

    def _accept(self) -> None:
        threads = []
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            thread = threading.Thread(target=self._forward, args=(client,))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(LIMIT)

    def _forward(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._server) as server:
            pair = (client, server)
            self._pairs.add(pair)
            received = 0
            try:
                while not self._closed:
                    for source in select.select(pair, [], [])[0]:
                        data = source.recv(1 << 16)
                        if not data:
                            return
                        if source is client:
                            server.sendall(data)
                            continue
                        received += len(data)
                        if self.cut_after is not None and received > self.cut_after:
                            self.cuts += 1
                            return
                        if not self.swallow:
                            client.sendall(data)
            finally:
                self._pairs.discard(pair)


@pytest.fixture
def proxy(server: Any) -> Iterator[Proxy]:
    """A proxy before the shared server."""
    made = Proxy(server.address)
    yield made
    made.close()


@pytest.fixture
def provider(proxy: Proxy) -> Iterator[BasicAerProvider]:
    """A client behind the proxy."""
    with BasicAerProvider(proxy.address) as made:
        yield made


def test_a_large_state_arrives_over_connections_that_break(proxy: Proxy, provider: BasicAerProvider) -> None:
    circuit = Circuit(20)
    for qubit in range(20):
        circuit.ry(0.1 + qubit, qubit)
    job = provider.get_backend("statevector_simulator").run(circuit)
    job.wait_for_final_state(LIMIT)
    expected: NDArray[np.floating[Any]] = np.ones(1)
    for qubit in range(20):
        half = (0.1 + qubit) / 2
        expected = np.kron([np.cos(half), np.sin(half)], expected)
    proxy.cut_after = 5 << 20
    state = job.result(LIMIT).get_statevector()
    assert proxy.cuts >= 2
    np.testing.assert_allclose(state, expected, atol=1e-12)


def test_a_wait_goes_on_over_connections_that_break(proxy: Proxy, provider: BasicAerProvider) -> None:
    circuit = Circuit(2, 1).x(0).measure(0, 0)
    with circuit.while_loop((0, 1)):
        circuit.x(1)
    job = provider.get_backend("qasm_simulator").run(circuit)
    calls: list[JobStatus] = []

    def callback(job_id: str, status: JobStatus, handle: BasicAerJob) -> None:
        calls.append(status)
        if len(calls) < 4:
            proxy.cut()
        elif len(calls) == 8:
            assert handle.cancel()

    job.wait_for_final_state(LIMIT, 0.1, callback)
    assert len(calls) >= 8
    assert job.cancelled()


def test_a_lost_reply_makes_no_second_job(server: Any, proxy: Proxy, provider: BasicAerProvider) -> None:
    backend = provider.get_backend("qasm_simulator")
    labels = {"lost-reply": proxy.address.replace(":", "-")}
    proxy.swallow = True
    made: list[BasicAerJob] = []
    submitter = threading.Thread(
        target=lambda: made.append(backend.run(Circuit(1, 1).measure(0, 0), labels=labels))
    )
    submitter.start()
    with BasicAerProvider(server.address) as direct:
        heard = threading.Event()
        for _ in range(int(LIMIT / 0.05)):
            if list(direct.jobs(labels=labels)):
                break
            heard.wait(0.05)
        assert not made
        proxy.swallow = False
        proxy.cut()
        submitter.join(LIMIT)
        assert [job.job_id() for job in direct.jobs(labels=labels)] == [made[0].job_id()]
    assert made[0].result(LIMIT).get_counts() == {"0": 1024}
