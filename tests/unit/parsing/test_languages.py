"""The table of languages is all that those who read texts know of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from basicaer.service.parsing import (
    LANGUAGES,
    OPENQASM2,
    Language,
    Parsers,
    ParsersHere,
    Patience,
    Processes,
    ProgramFault,
    TakesLongError,
    text_of,
)
from basicaer.service.parsing._faults import takes_too_much_memory
from basicaer.v1 import circuit_pb2, job_pb2
from basicaer.v1.diagnostic_pb2 import Diagnostic

LIMITS: dict[str, Any] = {"max_bytes": 1 << 20, "max_instructions": 1000}


def test_every_text_of_the_contract_has_a_language() -> None:
    fields = job_pb2.Program.DESCRIPTOR.oneofs_by_name["source"].fields
    assert {field.name for field in fields if field.type == field.TYPE_STRING} == set(LANGUAGES)
    assert all(language.field == name for name, language in LANGUAGES.items())


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.field)
def test_a_language_reads_its_texts_everywhere_alike(language: Language) -> None:
    program = language.program(language.bell)
    assert text_of(program) == (language, language.bell)
    parsers = Parsers(1, 1 << 30)
    # So long that a process parses it.
    longer = language.bell + " " * 50_000
    try:
        at_once = parsers.parse(language, language.bell, **LIMITS, patience=None)
        apart = parsers.parse(language, longer, **LIMITS, patience=Patience())
        place = parsers.locate_instruction(language, longer, 1, Patience())
    finally:
        parsers.close()
    assert at_once.columns is None
    assert apart.columns is not None
    assert [list(column) for column in apart.columns] == [
        list(getattr(at_once.message.body, name)) for name in ("operations", "qubits", "clbits", "parameters")
    ]
    assert place is not None
    assert place == language.locate_instruction(longer, 1, b"")
    assert ParsersHere().parse(language, longer, **LIMITS, patience=Patience()).is_idle is False


def test_a_program_without_a_text_has_no_language() -> None:
    assert text_of(job_pb2.Program()) is None
    assert text_of(job_pb2.Program(circuit=circuit_pb2.Circuit())) is None


def test_parsers_do_what_a_record_says() -> None:
    """A language of which nothing but its record is known."""

    def parse(
        text: str,
        *,
        max_bytes: int,
        max_instructions: int,
        externs: bytes = b"",
        warnings: list[Diagnostic] | None = None,
    ) -> circuit_pb2.Circuit:
        if text == "long":
            raise TakesLongError
        if len(text) > max_bytes:
            raise ProgramFault("it is too long")
        return circuit_pb2.Circuit(name=f"{text} {max_instructions}{externs.decode()}")

    language = replace(OPENQASM2, field="other", parse_at_once=parse, is_idle=lambda text, _: text == "idle")
    parsers = ParsersHere()
    parsed = parsers.parse(language, "idle", max_bytes=4, max_instructions=7, patience=None)
    assert (parsed.message.name, parsed.is_idle) == ("idle 7", True)
    assert not parsers.parse(language, "busy", max_bytes=4, max_instructions=7, patience=None).is_idle
    with pytest.raises(ProgramFault, match="too long"):
        parsers.parse(language, "other", max_bytes=4, max_instructions=7, patience=None)
    with pytest.raises(TakesLongError):
        parsers.parse(language, "long", max_bytes=4, max_instructions=7, patience=None)


def test_a_process_that_does_not_know_the_language_says_so() -> None:
    processes = Processes("parser", "basicaer.service.parsing._process", 1, 1 << 30, takes_too_much_memory)
    try:
        with pytest.raises(RuntimeError, match="KeyError: 'latin'"):
            processes.ask([b"parse", b"latin", b"10", b"", b""], Patience())
    finally:
        processes.close()
