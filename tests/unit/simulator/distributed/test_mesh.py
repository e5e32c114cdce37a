"""Connections between ranks: who may make them, what crosses them, and what is seen when one breaks."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trustme
from basicaer.simulator import Circuit, RunControl, SimulationCancelled, run
from basicaer.simulator.distributed import Mesh, PeerLost, TlsContexts, listen

from tests.unit.simulator.distributed.ranks import on_ranks

AUTHORITY = trustme.CA()
LONG = 3 * 2**16 + 5
"""Amplitudes of several chunks, the last of which is short."""


def numbers(rank: int, count: int = LONG) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    rng = np.random.default_rng(rank)
    return rng.normal(size=count) + 1j * rng.normal(size=count)


@pytest.mark.parametrize("size", [2, 4])
def test_arrays_are_swapped_in_place_and_traded(size: int) -> None:
    def do(mesh: Mesh) -> None:
        control = RunControl()
        for step in range(1, size):
            other = mesh.rank ^ step
            slab = numbers(mesh.rank)
            mesh.swap(other, slab, control)
            np.testing.assert_array_equal(slab, numbers(other))
            taken = np.zeros(LONG, np.complex128)
            mesh.trade(other, numbers(mesh.rank), taken, control)
            np.testing.assert_array_equal(taken, numbers(other))
        assert mesh.bytes_sent == 2 * (size - 1) * 16 * LONG

    on_ranks(size, do)


def test_all_get_the_same_of_what_each_has() -> None:
    def do(mesh: Mesh) -> tuple[bytes, list[list[int]], bytes]:
        control = RunControl()
        shared = bytes(mesh.share(b"plan" if mesh.rank == 0 else None, control))
        gathered = mesh.gather(np.arange(mesh.rank), control)
        total = mesh.sum(np.array([0.1 * mesh.rank, 1e-17]), control, [3, 2, 1, 0])
        return shared, [part.tolist() for part in gathered], total.tobytes()

    found = on_ranks(4, do)
    assert len({total for _, _, total in found}) == 1
    for shared, gathered, _ in found:
        assert shared == b"plan"
        assert gathered == [[], [0], [0, 1], [0, 1, 2]]


def test_who_does_not_know_the_secret_is_no_rank() -> None:
    with pytest.raises(PeerLost, match="rank"):
        on_ranks(2, lambda mesh: None, secret_of=lambda rank: bytes([rank] * 32), timeout=2.0)


def test_a_stranger_that_calls_does_not_keep_ranks_apart() -> None:
    (first, port), (second, other) = listen("127.0.0.1"), listen("127.0.0.1")
    secret = secrets.token_bytes(32)
    addresses = [("127.0.0.1", port), ("127.0.0.1", other)]
    with socket.create_connection(addresses[0]) as stranger:
        stranger.sendall(bytes(72))
        made: list[Mesh] = []
        thread = threading.Thread(target=lambda: made.append(Mesh.connect(1, addresses, second, secret)))
        thread.start()
        with_first = Mesh.connect(0, addresses, first, secret)
        thread.join()
    for mesh in (with_first, *made):
        mesh.close()
    assert len(made) == 1


def test_a_rank_that_never_comes_is_told_by_its_number() -> None:
    listener, port = listen("127.0.0.1")
    # Taken, and silent.
    silent, other = listen("127.0.0.1")
    with silent, pytest.raises(PeerLost, match=r"rank 1 at 127\.0\.0\.1"):
        Mesh.connect(0, [("127.0.0.1", port), ("127.0.0.1", other)], listener, bytes(32), timeout=0.5)


class Relay:
    """Passes on what comes from one rank to another, but for one bit."""

    def __init__(self, target: tuple[str, int], spoilt: int) -> None:
        self._target, self._spoilt = target, spoilt
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _serve(self) -> None:
        with self._listener:
            caller, _ = self._listener.accept()
        with caller, socket.create_connection(self._target) as called:
            back = threading.Thread(target=self._carry, args=(called, caller, -1))
            back.start()
            self._carry(caller, called, self._spoilt)
            back.join()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, spoilt: int) -> None:
        at = 0
        with contextlib.suppress(OSError):
            while data := bytearray(source.recv(1 << 16)):
                if at <= spoilt < at + len(data):
                    data[spoilt - at] ^= 1
                at += len(data)
                sink.sendall(data)
        # The other end sees that this one has ended.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def test_what_is_changed_on_the_way_ends_the_run() -> None:
    (first, port), (second, other) = listen("127.0.0.1"), listen("127.0.0.1")
    secret = secrets.token_bytes(32)
    found: list[BaseException] = []

    def one(rank: int, listener: socket.socket, addresses: list[tuple[str, int]]) -> None:
        mesh = Mesh.connect(rank, addresses, listener, secret)
        try:
            mesh.swap(1 - rank, numbers(rank), RunControl())
        except PeerLost as error:
            found.append(error)
        finally:
            mesh.close()

    own, its = ("127.0.0.1", port), ("127.0.0.1", other)
    with Relay(its, spoilt=100_000) as relay:
        threads = [
            threading.Thread(target=one, args=(0, first, [own, relay.address])),
            threading.Thread(target=one, args=(1, second, [own, its])),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert any("its code is wrong" in str(error) for error in found)


def waiting(do: Callable[[Mesh, RunControl], None]) -> BaseException | None:
    """What rank 0 gets that waits for rank 1, while rank 1 does something else."""

    def one(mesh: Mesh) -> BaseException | None:
        control = RunControl()
        if mesh.rank:
            do(mesh, control)
            return None
        try:
            mesh.swap(1, numbers(0), control)
        except (PeerLost, SimulationCancelled) as error:
            return error
        return None

    return on_ranks(2, one)[0]


def test_a_rank_that_goes_is_missed() -> None:
    found = waiting(lambda mesh, control: mesh.close())
    assert isinstance(found, PeerLost)
    assert "rank 1 is gone" in str(found)


@pytest.mark.parametrize("by", ["control", "close"])
def test_who_waits_for_another_rank_can_be_stopped(by: str) -> None:
    control = RunControl()
    gone = threading.Event()
    meshes: list[Mesh] = []

    def one(mesh: Mesh) -> None:
        if mesh.rank:
            gone.wait()
            return
        meshes.append(mesh)
        stop = threading.Timer(0.1, control.cancel if by == "control" else mesh.close)
        stop.start()
        try:
            with pytest.raises(SimulationCancelled):
                mesh.receive(1, control)
        finally:
            gone.set()

    on_ranks(2, one)


def test_a_run_that_is_cancelled_ends_on_all_ranks() -> None:
    circuit = Circuit(16, 16)
    for qubit in range(16):
        circuit.append("h", [qubit]).append("measure", [qubit], [], [qubit])

    def one(mesh: Mesh) -> type[BaseException] | None:
        control = RunControl()
        if mesh.rank == 1:
            control.cancel()
        try:
            run(circuit, seed=1, spread=mesh, control=control)
        except (PeerLost, SimulationCancelled) as error:
            return type(error)
        return None

    assert on_ranks(2, one) == [PeerLost, SimulationCancelled]


def contexts(folder: Path, authority: trustme.CA) -> TlsContexts:
    """Those of ranks whose nodes have a certificate of this authority."""
    folder.mkdir()
    own = authority.issue_cert("a-node.example.org")
    paths = {name: folder / name for name in ("certificate", "key", "authority")}
    own.cert_chain_pems[0].write_to_path(paths["certificate"])
    own.private_key_pem.write_to_path(paths["key"])
    authority.cert_pem.write_to_path(paths["authority"])
    return TlsContexts.of(*map(str, paths.values()))


def test_ranks_meet_by_tls(tmp_path: Path) -> None:
    def do(mesh: Mesh) -> None:
        slab = numbers(mesh.rank)
        mesh.swap(1 - mesh.rank, slab, RunControl())
        np.testing.assert_array_equal(slab, numbers(1 - mesh.rank))

    on_ranks(2, do, tls=lambda rank: contexts(tmp_path / str(rank), AUTHORITY))


def test_who_shows_no_certificate_of_the_authority_is_no_rank(tmp_path: Path) -> None:
    authorities = [AUTHORITY, trustme.CA()]
    with pytest.raises(PeerLost, match="rank"):
        on_ranks(
            2,
            lambda mesh: None,
            tls=lambda rank: contexts(tmp_path / str(rank), authorities[rank]),
            timeout=2.0,
        )
