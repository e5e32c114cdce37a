"""Processes for what may take long, or may crash: they are asked, can be killed, and end with their server.

They are started when they are needed and then kept. Starting one takes half a second or two, which only those
wait for who ask for what takes long itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from basicaer.service.parsing import _wire
from basicaer.service.parsing._faults import ProgramFault
from basicaer.service.parsing._patience import GivenUpError, Patience

__all__ = ["Processes"]

_log = logging.getLogger(__name__)

# Between two looks at whether anybody still waits, in seconds.
_INTERVAL = 0.02
# Of one write or read.
_PIECE = 1024 * 1024
# A process that holds more afterwards isn't kept.
_MOST_KEPT = 384 * 1024 * 1024
# A process that ends by itself gets the request another time, in case somebody else has killed it.
_ATTEMPTS = 2
# Each uses one thread; libraries that start more when they are loaded only waste them.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


class Processes:
    """Up to `count` processes that run a module. Thread-safe.

    The module gets this process' id, the most memory in bytes, and `arguments`; see `_serving`.
    """

    def __init__(
        self,
        what: str,
        module: str,
        count: int,
        most_memory: int,
        fault: Callable[[int, str], ProgramFault],
        arguments: Sequence[str] = (),
    ) -> None:
        """`most_memory` is what a request may make a process take, in bytes. `fault`, of that and of how the
        process ended, is that of a request which each process ends at; `what` names these in the log.
        """
        self._what = what
        self._module = module
        self._arguments = [str(os.getpid()), str(most_memory), *arguments]
        self._most_memory = most_memory
        self._fault = fault
        self._slots = threading.Semaphore(count)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._closed = False

    def close(self) -> None:
        """End all processes; what they do is given up, and what comes later too. Idempotent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for process in self._busy:
                # Whoever asked it gets to know, and sees it off.
                process.kill()
        for process in idle:
            process.end()

    def ask(self, request: Sequence[bytes | memoryview], patience: Patience) -> Sequence[memoryview]:
        """Return what a process answers to these sections, but for the answer's kind.

        Raises:
            ProgramFault: It answers one; or each process that gets the request ends.
            GivenUpError: Nobody waits for it any more.
            RuntimeError: A defect there.
        """
        message = _wire.encode(request)
        while not self._slots.acquire(timeout=_INTERVAL):
            patience.check()
        try:
            first, *sections = self._answer(message, patience)
        finally:
            self._slots.release()
        answer = bytes(first)
        if answer == b"fault":
            raise _wire.decode_fault(bytes(sections[0]))
        if answer == b"defect":
            raise RuntimeError(f"in a {self._what} process: {bytes(sections[0]).decode()}")
        return sections

    def _answer(self, request: Sequence[bytes | memoryview], patience: Patience) -> list[memoryview]:
        ended = 0
        for _ in range(_ATTEMPTS):
            patience.check()
            process = self._take()
            try:
                sections = process.ask(request, patience)
            except BaseException as error:
                with self._lock:
                    self._busy.discard(process)
                ended = process.end()
                if not isinstance(error, EOFError | BrokenPipeError):
                    raise
                if self._closed:
                    raise GivenUpError from None
                # When the server stops, the thread that has started a process may end first, and the process
                # with it. Nobody waits then.
                patience.check()
                _log.warning("a %s process ended amid its work: %s", self._what, _cause(ended))
            else:
                self._give_back(process)
                return sections
        if ended > 0:
            # It wasn't killed: it can't even start.
            raise RuntimeError(f"{self._what} processes end by themselves: {_cause(ended)}")
        raise self._fault(self._most_memory, _cause(ended))

    def _take(self) -> _Process:
        with self._lock:
            if self._closed:
                raise GivenUpError
            process = (
                self._idle.pop() if self._idle else _Process(self._module, self._arguments, self._most_memory)
            )
            self._busy.add(process)
            return process

    def _give_back(self, process: _Process) -> None:
        small = process.memory() <= _MOST_KEPT
        with self._lock:
            self._busy.discard(process)
            kept = small and not self._closed
            if kept:
                self._idle.append(process)
        if not kept:
            process.end()


class _Process:
    """One process. Used by one thread at a time, but for `kill`."""

    def __init__(self, module: str, arguments: Sequence[str], most_memory: int) -> None:
        # Our settings are none of its business, and some name files with secrets.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
        # In a session of its own it doesn't get the terminal's Ctrl-C, not even while it starts.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A panic of the parser's prints what it was about.
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment | _ONE_THREAD,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._most_memory = most_memory
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._input, self._output):
            os.set_blocking(pipe, False)

    def ask(self, request: Sequence[bytes | memoryview], patience: Patience) -> list[memoryview]:
        """Return the answer to a request.

        Raises:
            EOFError, BrokenPipeError: The process has ended.
            GivenUpError, ProgramFault: As by `Patience.check`.
        """
        for piece in request:
            self._send(memoryview(piece), patience)
        return _wire.read(lambda size: self._receive(size, patience))

    def memory(self) -> int:
        """How many bytes it holds; 0 when it has ended."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * resource.getpagesize()

    def kill(self) -> None:
        """Kill it, soon."""
        self._process.kill()

    def end(self) -> int:
        """Kill it if need be, and return its exit status: negative for a signal, as `subprocess` has it."""
        self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return status

    def _send(self, data: memoryview, patience: Patience) -> None:
        while data:
            try:
                data = data[os.write(self._input, data[:_PIECE]) :]
            except BlockingIOError:
                _wait(self._input, select.POLLOUT, patience)

    def _receive(self, size: int, patience: Patience) -> memoryview:
        if size > self._most_memory:
            raise ValueError(f"a process announces {size:,} bytes, more than it can hold")
        # Unlike a bytearray it isn't filled with zeros, and its memory is aligned for numbers.
        data = np.empty(size, dtype=np.uint8).data
        rest = data
        while rest:
            try:
                count = os.readv(self._output, [rest[:_PIECE]])
            except BlockingIOError:
                _wait(self._output, select.POLLIN, patience)
                continue
            if not count:
                raise EOFError
            rest = rest[count:]
        return data


def _wait(pipe: int, event: int, patience: Patience) -> None:
    """Wait a moment for a pipe, at most as long as there is patience."""
    patience.check()
    poll = select.poll()
    poll.register(pipe, event)
    poll.poll(_INTERVAL * 1000)


def _cause(status: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit status {status}"
