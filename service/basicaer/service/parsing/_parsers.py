"""Parses texts: short ones in this process, others in processes of their own (see `_processes`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from basicaer.service.parsing import _wire
from basicaer.service.parsing._answers import answer
from basicaer.service.parsing._faults import Where, takes_too_much_memory
from basicaer.service.parsing._languages import Language
from basicaer.service.parsing._patience import Patience, TakesLongError
from basicaer.service.parsing._processes import Processes
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1.diagnostic_pb2 import Diagnostic, Diagnostics

__all__ = ["ParsedText", "Parsers", "ParsersHere"]

_MODULE = "basicaer.service.parsing._process"


class ParsedText(NamedTuple):
    """A circuit; when `columns` is not None, these are its body's, and the message has none.

    `is_idle` tells a text that has no statement that does something. `warnings` are of program 0.
    """

    message: pb.Circuit
    columns: _wire.Columns | None
    is_idle: bool
    warnings: Sequence[Diagnostic]


class Parsers:
    """Parses texts: short ones on the caller's thread, others in up to `count` processes. Thread-safe."""

    def __init__(self, count: int, most_memory: int) -> None:
        """`most_memory` is what a text may make a process take, in bytes."""
        self._processes = Processes("parser", _MODULE, count, most_memory, takes_too_much_memory)

    def parse(
        self,
        language: Language,
        text: str,
        *,
        max_bytes: int,
        max_instructions: int,
        patience: Patience | None,
        externs: bytes = b"",
    ) -> ParsedText:
        """Return a program in a language as a circuit, see `Language.parse`.

        Raises:
            ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
            TakesLongError: `patience` is None, and it may take longer than a moment.
            GivenUpError: Nobody waits for it any more.
        """
        warnings: list[Diagnostic] = []
        try:
            circuit = language.parse_at_once(
                text,
                max_bytes=max_bytes,
                max_instructions=max_instructions,
                externs=externs,
                warnings=warnings,
            )
            return ParsedText(circuit, None, language.is_idle(text, circuit), warnings)
        except TakesLongError:
            if patience is None:
                raise
        request = _request(b"parse", language, max_instructions, text, externs)
        idle, message, told, *columns = self._ask(language, request, patience)
        circuit = pb.Circuit.FromString(bytes(message))
        warnings = list(Diagnostics.FromString(bytes(told)).diagnostics)
        return ParsedText(circuit, _wire.decode_columns(columns), bool(int(bytes(idle))), warnings)

    def locate_instruction(
        self,
        language: Language,
        text: str,
        instruction: int,
        patience: Patience | None,
        externs: bytes = b"",
    ) -> Where | None:
        """See `Language.locate_instruction`.

        Raises:
            TakesLongError: `patience` is None.
            GivenUpError: Nobody waits for it any more.
        """
        if len(text) > language.longest_located:
            return None
        if patience is None:
            raise TakesLongError
        request = _request(b"locate", language, instruction, text, externs)
        (place,) = self._ask(language, request, patience)
        return _wire.decode_place(bytes(place))

    def close(self) -> None:
        """End all processes; what is being parsed is given up, and what comes later too. Idempotent."""
        self._processes.close()

    def _ask(
        self, language: Language, request: list[bytes | memoryview], patience: Patience
    ) -> Sequence[memoryview]:
        """Return what is answered to a request of `_wire`, but for the answer's kind."""
        return self._processes.ask(request, patience)


class ParsersHere(Parsers):
    """Parses all texts in this process, which is one that can be killed. Has no patience."""

    def __init__(self) -> None:
        """Start nothing."""
        super().__init__(0, 0)

    def _ask(
        self, language: Language, request: list[bytes | memoryview], patience: Patience
    ) -> Sequence[memoryview]:
        language.load()
        _, *sections = answer(request)
        return [memoryview(section) for section in sections]


def _request(
    kind: bytes, language: Language, number: int, text: str, externs: bytes
) -> list[bytes | memoryview]:
    return [kind, language.field.encode(), b"%d" % number, text.encode(), externs]
