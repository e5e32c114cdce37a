"""A parser process, started by `Parsers` with its server's process id and the most memory in bytes.

It answers the requests on its standard input (see `_wire`) until that ends. Qiskit's parser runs on its main
thread, which has the largest stack, and with bounded memory. Whatever a text makes of it, its server lives.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from basicaer.service.parsing import _wire, openqasm2
from basicaer.service.parsing._faults import ProgramFault, takes_too_much_memory

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main(server: int, most_memory: int) -> None:
    """Answers requests until standard input ends."""
    # Ctrl-C and the end of a systemd unit are for the server, which then ends this process as it sees fit.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with(server)
    # Whatever prints must not come between the messages.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    openqasm2.load()
    _bound_memory(most_memory)
    while requests.peek(1):
        sections = _wire.read(lambda size: _receive(requests, size))
        for piece in _wire.encode(_answer(sections, most_memory)):
            answers.write(piece)
        answers.flush()


def _die_with(server: int) -> None:
    """Lets the kernel kill this process when its server is gone: amid a long parse it wouldn't notice."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        sys.exit()


def _bound_memory(most: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    # Beside what the interpreter and the parser have taken already.
    limit = pages * resource.getpagesize() + most
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # A core file would hold somebody's program.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # When the machine's memory runs out, this process is to go, not the server.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _receive(requests: BinaryIO, size: int) -> memoryview:
    data = requests.read(size)
    if len(data) < size:
        sys.exit()
    return memoryview(data)


def _answer(sections: Sequence[memoryview], most_memory: int) -> list[bytes | memoryview]:
    try:
        kind, number, text = (bytes(section) for section in sections)
        if kind == b"locate":
            where = openqasm2.locate_instruction(text.decode(), int(number))
            return [b"place", _wire.encode_place(where)]
        circuit = openqasm2.parse(text.decode(), max_bytes=len(text), max_instructions=int(number))
        columns = _wire.encode_columns(circuit.body)
        circuit.ClearField("body")
        return [b"circuit", circuit.SerializeToString(), *columns]
    except ProgramFault as fault:
        return [b"fault", _wire.encode_fault(fault)]
    except MemoryError:
        return [b"fault", _wire.encode_fault(takes_too_much_memory(most_memory, "MemoryError"))]
    except BaseException:
        return [b"defect", traceback.format_exc().encode()]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
