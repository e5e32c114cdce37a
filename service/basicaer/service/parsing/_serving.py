"""What a process of `Processes` does: it answers the requests on its standard input (see `_wire`) until that
ends.

That happens on its main thread, which has the largest stack, and with bounded memory. Whatever a text makes
of it, its server lives.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from basicaer.service.parsing import _wire
from basicaer.service.parsing._faults import ProgramFault

__all__ = ["serve"]

_PR_SET_PDEATHSIG = 1


def serve(
    server: int,
    most_memory: int,
    load: Callable[[], object],
    answer: Callable[[Sequence[memoryview]], Sequence[bytes | memoryview]],
    exhausted: ProgramFault,
) -> None:
    """Answer requests until standard input ends, for the server with this process id.

    `load` imports what is needed; a request may take `most_memory` bytes beside that, and is answered with
    the fault `exhausted` when it takes more. `answer` may raise a ProgramFault.
    """
    # Ctrl-C and the end of a systemd unit are for the server, which then ends this process as it sees fit.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with(server)
    # Whatever prints must not come between the messages.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    load()
    _bound_memory(most_memory)
    while requests.peek(1):
        sections = _wire.read(lambda size: _receive(requests, size))
        for piece in _wire.encode(_answered(sections, answer, exhausted)):
            answers.write(piece)
        answers.flush()


def _die_with(server: int) -> None:
    """Let the kernel kill this process when its server is gone: amid a long parse it wouldn't notice."""
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


def _answered(
    sections: Sequence[memoryview],
    answer: Callable[[Sequence[memoryview]], Sequence[bytes | memoryview]],
    exhausted: ProgramFault,
) -> Sequence[bytes | memoryview]:
    try:
        return answer(sections)
    except ProgramFault as fault:
        return [b"fault", _wire.encode_fault(fault)]
    except MemoryError:
        return [b"fault", _wire.encode_fault(exhausted)]
    except BaseException:
        return [b"defect", traceback.format_exc().encode()]
