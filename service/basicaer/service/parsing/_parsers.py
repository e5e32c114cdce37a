"""The processes in which the server has long texts parsed: they can be killed, and crash alone.

They are started when they are needed and then kept. Starting one takes half a second, which only texts wait
for that take long themselves.
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
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from basicaer.service.parsing import _wire, openqasm2
from basicaer.service.parsing._faults import Where, takes_too_much_memory
from basicaer.service.parsing._patience import GivenUpError, Patience, TakesLongError
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["ParsedText", "Parsers"]

_log = logging.getLogger(__name__)

_MODULE = "basicaer.service.parsing._process"
# Between two looks at whether anybody still waits, in seconds.
_INTERVAL = 0.05
# Of one write or read.
_PIECE = 1024 * 1024
# A process that holds more afterwards isn't kept.
_MOST_KEPT = 256 * 1024 * 1024
# A process that ends by itself gets the text another time, in case somebody else has killed it.
_ATTEMPTS = 2
# The parser uses one thread; libraries that start more when they are loaded only waste them.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


class ParsedText(NamedTuple):
    """A circuit; when `columns` is not None, these are its body's, and the message has none."""

    message: pb.Circuit
    columns: _wire.Columns | None


class Parsers:
    """Parses texts: short ones on the caller's thread, others in up to `count` processes. Thread-safe."""

    def __init__(self, count: int, most_memory: int) -> None:
        """`most_memory` is what a text may make a process take, in bytes."""
        self._most_memory = most_memory
        self._slots = threading.Semaphore(count)
        self._lock = threading.Lock()
        self._idle: list[_Parser] = []
        self._busy: set[_Parser] = set()
        self._closed = False

    def parse(
        self, text: str, *, max_bytes: int, max_instructions: int, patience: Patience | None
    ) -> ParsedText:
        """An OpenQASM 2 program as a circuit, see `openqasm2.parse`.

        Raises:
            ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
            TakesLongError: `patience` is None, and it may take longer than a moment.
            GivenUpError: Nobody waits for it any more.
        """
        try:
            circuit = openqasm2.parse_at_once(text, max_bytes=max_bytes, max_instructions=max_instructions)
            return ParsedText(circuit, None)
        except TakesLongError:
            if patience is None:
                raise
        message, *columns = self._ask(b"parse", max_instructions, text, patience)
        return ParsedText(pb.Circuit.FromString(bytes(message)), _wire.decode_columns(columns))

    def locate_instruction(self, text: str, instruction: int, patience: Patience | None) -> Where | None:
        """See `openqasm2.locate_instruction`.

        Raises:
            TakesLongError: `patience` is None.
            GivenUpError: Nobody waits for it any more.
        """
        if len(text) > openqasm2.LONGEST_LOCATED:
            return None
        if patience is None:
            raise TakesLongError
        (place,) = self._ask(b"locate", instruction, text, patience)
        return _wire.decode_place(bytes(place))

    def close(self) -> None:
        """Ends all processes; what is being parsed is given up, and what comes later too. Idempotent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for parser in self._busy:
                # Whoever asked it gets to know, and sees it off.
                parser.kill()
        for parser in idle:
            parser.end()

    def _ask(self, kind: bytes, number: int, text: str, patience: Patience) -> Sequence[memoryview]:
        """What a process answers, but for the answer's kind."""
        request = _wire.encode([kind, b"%d" % number, text.encode()])
        while not self._slots.acquire(timeout=_INTERVAL):
            patience.check()
        try:
            first, *sections = self._answer(request, patience)
        finally:
            self._slots.release()
        answer = bytes(first)
        if answer == b"fault":
            raise _wire.decode_fault(bytes(sections[0]))
        if answer == b"defect":
            raise RuntimeError(f"in a parser process: {bytes(sections[0]).decode()}")
        return sections

    def _answer(self, request: Sequence[bytes | memoryview], patience: Patience) -> list[memoryview]:
        ended = 0
        for _ in range(_ATTEMPTS):
            patience.check()
            parser = self._take()
            try:
                sections = parser.ask(request, patience)
            except BaseException as error:
                with self._lock:
                    self._busy.discard(parser)
                ended = parser.end()
                if not isinstance(error, EOFError | BrokenPipeError):
                    raise
                if self._closed:
                    raise GivenUpError from None
                # When the server stops, the thread that has started a process may end first, and the process
                # with it. Nobody waits then.
                patience.check()
                _log.warning("a parser process ended amid a text: %s", _cause(ended))
            else:
                self._give_back(parser)
                return sections
        if ended > 0:
            # It wasn't killed: it can't even start.
            raise RuntimeError(f"parser processes end by themselves: {_cause(ended)}")
        raise takes_too_much_memory(self._most_memory, _cause(ended))

    def _take(self) -> _Parser:
        with self._lock:
            if self._closed:
                raise GivenUpError
            parser = self._idle.pop() if self._idle else _Parser(self._most_memory)
            self._busy.add(parser)
            return parser

    def _give_back(self, parser: _Parser) -> None:
        small = parser.memory() <= _MOST_KEPT
        with self._lock:
            self._busy.discard(parser)
            kept = small and not self._closed
            if kept:
                self._idle.append(parser)
        if not kept:
            parser.end()


class _Parser:
    """One process. Used by one thread at a time, but for `kill`."""

    def __init__(self, most_memory: int) -> None:
        # Our settings are none of its business, and some name files with secrets.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BASICAER_")}
        # In a session of its own it doesn't get the terminal's Ctrl-C, not even while it starts.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(os.getpid()), str(most_memory)],
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
        """The answer to a request.

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
        """Kills it, soon."""
        self._process.kill()

    def end(self) -> int:
        """Kills it if need be, and returns its exit status: negative for a signal, as `subprocess` has it."""
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
            raise ValueError(f"a parser process announces {size:,} bytes, more than it can hold")
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
    """Waits a moment for a pipe, at most as long as there is patience."""
    patience.check()
    poll = select.poll()
    poll.register(pipe, event)
    poll.poll(_INTERVAL * 1000)


def _cause(status: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit status {status}"
