"""The languages of program texts, a record each: whoever reads texts finds all that differs here.

Another language is another record, with a module beside `openqasm2`, and another field of `Program`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from basicaer.service.parsing import openqasm2, openqasm3, stim_text
from basicaer.service.parsing._faults import Where
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

__all__ = ["LANGUAGES", "OPENQASM2", "OPENQASM3", "STIM", "Language", "externs_of", "text_of"]


class Parse(Protocol):
    """A text to a circuit, see `openqasm2.parse` and `openqasm2.parse_at_once`."""

    def __call__(
        self,
        text: str,
        *,
        max_bytes: int,
        max_instructions: int,
        externs: bytes = b"",
        warnings: list[Diagnostic] | None = None,
    ) -> circuit_pb2.Circuit:
        """Return the circuit. `externs` are a `Program` that has these alone. What is doubtful in the text is
        added to `warnings`.

        Raises:
            ProgramFault: PROGRAM_INVALID with the position, or PROGRAM_TOO_LARGE.
        """


@dataclass(frozen=True, slots=True)
class Language:
    """How texts of one language are read."""

    # The field of `Program` that holds its texts; parser processes know it by that name, too.
    field: str
    # For people.
    title: str
    # Imports the parser; called on the thread that lives the longest.
    load: Callable[[], object]
    # Lets the parser do what it does only the first time.
    warm: Callable[[], object]
    # On the caller's thread: raises TakesLongError when it takes longer than a moment.
    parse_at_once: Parse
    # In a process that can be killed.
    parse: Parse
    # Whether a text, which gave this circuit, has no statement that does something.
    is_idle: Callable[[str, circuit_pb2.Circuit], bool]
    # The statement that makes an instruction, by its number; of texts of at most so many characters.
    locate_instruction: Callable[[str, int, bytes], Where | None]
    longest_located: int
    # A text that entangles two qubits and measures them: the first that a server runs, before its first job.
    bell: str

    def program(self, text: str) -> job_pb2.Program:
        """Return a program with this text."""
        program = job_pb2.Program()
        setattr(program, self.field, text)
        return program


OPENQASM2 = Language(
    field="openqasm2",
    title="OpenQASM 2",
    load=openqasm2.load,
    warm=openqasm2.warm,
    parse_at_once=openqasm2.parse_at_once,
    parse=openqasm2.parse,
    is_idle=openqasm2.is_idle,
    locate_instruction=openqasm2.locate_instruction,
    longest_located=openqasm2.LONGEST_LOCATED,
    bell='OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;',
)

OPENQASM3 = Language(
    field="openqasm3",
    title="OpenQASM 3",
    load=openqasm3.load,
    warm=openqasm3.warm,
    parse_at_once=openqasm3.parse_at_once,
    parse=openqasm3.parse,
    is_idle=openqasm3.is_idle,
    locate_instruction=openqasm3.locate_instruction,
    longest_located=openqasm3.LONGEST_LOCATED,
    bell='include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0],q[1]; c = measure q;',
)

STIM = Language(
    field="stim",
    title="stim's language",
    load=stim_text.load,
    warm=stim_text.warm,
    parse_at_once=stim_text.parse_at_once,
    parse=stim_text.parse,
    is_idle=stim_text.is_idle,
    locate_instruction=stim_text.locate_instruction,
    longest_located=stim_text.LONGEST_LOCATED,
    bell="H 0\nCX 0 1\nM 0 1\nDETECTOR rec[-1] rec[-2]",
)

LANGUAGES: Mapping[str, Language] = {language.field: language for language in (OPENQASM2, OPENQASM3, STIM)}
"""All of them, by their field."""


def externs_of(program: job_pb2.Program) -> bytes:
    """Return a program's extern functions, as `Parse` takes them."""
    return job_pb2.Program(externs=program.externs).SerializeToString(deterministic=True)


def text_of(program: job_pb2.Program) -> tuple[Language, str] | None:
    """Return a program's text, and its language; None when it has none."""
    source = program.WhichOneof("source")
    language = None if source is None else LANGUAGES.get(source)
    return None if language is None else (language, getattr(program, language.field))
