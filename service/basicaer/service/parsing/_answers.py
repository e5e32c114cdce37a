"""What is answered to a request for a text's circuit (see `_wire`): by a parser process, or by a process that
may parse itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from basicaer.service.parsing import _wire
from basicaer.service.parsing._languages import LANGUAGES
from basicaer.v1.diagnostic_pb2 import Diagnostic, Diagnostics

__all__ = ["answer"]


def answer(sections: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return what a parser answers. Raises ProgramFault."""
    kind, field, number, text, externs = (bytes(section) for section in sections)
    language = LANGUAGES[field.decode()]
    if kind == b"locate":
        where = language.locate_instruction(text.decode(), int(number), externs)
        return [b"place", _wire.encode_place(where)]
    warnings: list[Diagnostic] = []
    circuit = language.parse(
        text.decode(),
        max_bytes=len(text),
        max_instructions=int(number),
        externs=externs,
        warnings=warnings,
    )
    idle = b"%d" % language.is_idle(text.decode(), circuit)
    columns = _wire.encode_columns(circuit.body)
    circuit.ClearField("body")
    told = Diagnostics(diagnostics=warnings).SerializeToString()
    return [b"circuit", idle, circuit.SerializeToString(), told, *columns]
