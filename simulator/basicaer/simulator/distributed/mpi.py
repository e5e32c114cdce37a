"""Ranks that MPI has started: `mpiexec -n 4 python program.py`, on a cluster whose network MPI knows best.

>>> from basicaer.simulator import run
>>> from basicaer.simulator.distributed.mpi import MpiTransport
>>> result = run(circuit, seed=7, spread=MpiTransport())  # doctest: +SKIP

It needs mpi4py, and whatever MPI there is.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationCancelled
from basicaer.simulator.distributed._transport import PeerLost, Transport
from mpi4py import MPI

__all__ = ["MpiTransport"]

_CHUNK = 1 << 20
# Between two looks at what is under way, once it takes long (seconds).
_LOOK = 0.0005
_PATIENT = 200


class MpiTransport(Transport):
    """All processes of a communicator, by default of all that were started; it makes one of its own."""

    def __init__(self, communicator: MPI.Intracomm | None = None) -> None:
        self._comm = (communicator or MPI.COMM_WORLD).Dup()
        self._comm.Set_errhandler(MPI.ERRORS_RETURN)
        self.rank = self._comm.Get_rank()
        self.size = self._comm.Get_size()
        self._closed = False
        self._buffer = np.empty(_CHUNK, np.uint8)

    def swap(self, other: int, slab: npt.NDArray[np.complexfloating], control: RunControl) -> None:
        """See `Transport.swap`. It takes a MiB beside."""
        view = slab.reshape(-1).view(np.uint8)
        for at in range(0, len(view), _CHUNK):
            part = view[at : at + _CHUNK]
            came = self._buffer[: len(part)]
            self._both(other, part, came, control)
            part[:] = came

    def trade(
        self,
        other: int,
        given: npt.NDArray[np.complexfloating],
        taken: npt.NDArray[np.complexfloating],
        control: RunControl,
    ) -> None:
        """See `Transport.trade`."""
        gives, takes = given.reshape(-1).view(np.uint8), taken.reshape(-1).view(np.uint8)
        for at in range(0, max(len(gives), len(takes)), _CHUNK):
            self._both(other, gives[at : at + _CHUNK], takes[at : at + _CHUNK], control)

    def send(self, other: int, data: bytes | bytearray | memoryview, control: RunControl) -> None:
        """See `Transport.send`."""
        array = np.frombuffer(data, np.uint8)
        nothing = array[:0]
        self._both(other, np.array([len(array)], np.int64).view(np.uint8), nothing, control)
        for at in range(0, len(array), _CHUNK):
            self._both(other, array[at : at + _CHUNK], nothing, control)

    def receive(self, other: int, control: RunControl) -> bytearray:
        """See `Transport.receive`."""
        length = np.zeros(1, np.int64)
        nothing = length.view(np.uint8)[:0]
        self._both(other, nothing, length.view(np.uint8), control)
        found = bytearray(int(length[0]))
        array = np.frombuffer(found, np.uint8)
        for at in range(0, len(array), _CHUNK):
            self._both(other, nothing, array[at : at + _CHUNK], control)
        return found

    def close(self) -> None:
        """See `Transport.close`. What others wait for doesn't come: they must be ended too."""
        self._closed = True

    def _both(
        self, other: int, given: npt.NDArray[np.uint8], taken: npt.NDArray[np.uint8], control: RunControl
    ) -> None:
        """Send and receive at once, what isn't empty."""
        try:
            requests = [self._comm.Irecv(taken, other)] if len(taken) else []
            if len(given):
                requests.append(self._comm.Isend(given, other))
            looks = 0
            while not MPI.Request.Testall(requests):
                looks += 1
                if looks > _PATIENT:
                    time.sleep(_LOOK)
                if self._closed or control.cancelled:
                    for request in requests:
                        request.Cancel()
                    raise SimulationCancelled
        except MPI.Exception as error:
            raise PeerLost(f"rank {other} is gone: {error}") from error
