"""Looks at OpenQASM 2 text before Qiskit's parser does, and refuses what would make that parser run wild.

The parser trusts its input: it makes an object for each bit of a register and for each gate of a statement
that acts on whole registers, and recurses into expressions on the machine's stack. So the text's length, its
registers, what its statements stand for and the size of its expressions are bounded here, by regular
expressions that run at the speed of C. What nested gate definitions expand to is counted later, by the
converter.
"""

from __future__ import annotations

import re

import numpy as np
from basicaer.service.parsing._faults import ProgramFault, too_large
from basicaer.service.parsing._source import Source

__all__ = ["MAX_BITS", "bits_made", "check_limits", "check_size", "statement_ends"]

# The most quantum, and the most classical, bits of a program. Far more than any state vector has.
MAX_BITS = 100_000
# The most operators and brackets of one statement; each may cost a frame of the parser's stack.
_MAX_OPERATORS = 1_000
# A number that no register reaches makes the parser panic when it doesn't fit in 64 bits.
_LONGEST_INDEX = 10

# One for each kind, as a search for a fixed beginning is several times faster.
_REGISTERS = {
    "quantum": re.compile(r"qreg\s+([A-Za-z_]\w*)\s*\[\s*(\d+)\s*\]"),
    "classical": re.compile(r"creg\s+([A-Za-z_]\w*)\s*\[\s*(\d+)\s*\]"),
}
_HUGE_INDEX = re.compile(rf"\[\s*(\d{{{_LONGEST_INDEX},}})")
_HUGE_VERSION = re.compile(rf"\s*OPENQASM\s+((?:\d+\.)?\d{{{_LONGEST_INDEX},}})")
_WHOLE_REGISTER = re.compile(r"(?<![\w.])([a-z]\w*)(?!\s*[\[(\w])")
# As whole words: a gate may be called "gateway".
_NOT_EXPANDED = re.compile(r"(?:gate|qreg|creg|opaque|barrier|include|OPENQASM)\b")
_PARENTHESES = re.compile(r"\([^;{}]*\)")
_OPERATORS = "+-*/^("


def statement_ends(blanked: str) -> list[int]:
    """Return the offsets behind all statements outside of braces, in order."""
    ends: list[int] = []
    depth = 0
    for match in re.finditer(r"[;{}]", blanked):
        token = match.group()
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        if depth == 0:
            ends.append(match.end())
    return ends


def check_size(text: str, max_bytes: int) -> None:
    """Check the text's length.

    Raises:
        ProgramFault: It is too long.
    """
    # A text of megabytes is only encoded when there is no other way to tell.
    size = len(text) if len(text) * 4 <= max_bytes or text.isascii() else len(text.encode())
    if size > max_bytes:
        raise too_large(
            "max_program_bytes",
            max_bytes,
            size,
            f"the text has {size:,} bytes, and the most is {max_bytes:,}; "
            "send a shorter program or a typed circuit",
        )


def bits_made(blanked: str) -> int:
    """How many objects for bits the parser makes at most, for registers and for barriers on whole ones."""
    sizes = (_number(match[2]) for pattern in _REGISTERS.values() for match in pattern.finditer(blanked))
    return sum(sizes) * (1 + blanked.count("barrier"))


def check_limits(source: Source, *, max_instructions: int) -> None:
    """Check all bounds but that of the text's length.

    Raises:
        ProgramFault: A bound is exceeded.
    """
    version = _HUGE_VERSION.match(source.blanked)
    if version is not None:
        raise ProgramFault("can only handle OpenQASM 2.0", where=source.at(version.start(1)))
    huge = _HUGE_INDEX.search(source.blanked)
    if huge is not None:
        fault = too_large(
            "max_bits", MAX_BITS, _number(huge[1]), f"a register can have at most {MAX_BITS:,} bits"
        )
        fault.where = source.at(huge.start(1))
        raise fault
    sizes = _check_registers(source)
    _check_operators(source)
    if source.blanked.count(";") * max(sizes.values(), default=1) > max_instructions:
        _check_broadcasts(source, sizes, max_instructions)


def _number(digits: str) -> int:
    """Return a register's size; that of a number beyond all sizes is one beyond them too."""
    return int(digits[: _LONGEST_INDEX + 8])


def _check_registers(source: Source) -> dict[str, int]:
    """Return the registers' sizes by their names."""
    sizes: dict[str, int] = {}
    for word, pattern in _REGISTERS.items():
        total = 0
        for match in pattern.finditer(source.blanked):
            sizes[match[1]] = size = _number(match[2])
            total += size
            if total > MAX_BITS:
                fault = too_large(
                    "max_bits",
                    MAX_BITS,
                    total,
                    f"the {word} registers have {total:,} bits together, and the most is {MAX_BITS:,}",
                )
                fault.where = source.at(match.start())
                raise fault
    return sizes


def _check_operators(source: Source) -> None:
    """Look for a statement whose expressions would exhaust the parser's stack."""
    blanked = source.blanked
    codes = np.frombuffer(blanked.encode("utf-32-le"), dtype=np.uint32)
    ends = np.flatnonzero((codes == ord(";")) | (codes == ord("{")) | (codes == ord("}")))
    bounds = np.concatenate([[0], ends, [len(codes)]])
    for number in np.flatnonzero(np.diff(bounds) > _MAX_OPERATORS):
        start, end = int(bounds[number]), int(bounds[number + 1])
        statement = blanked[start:end]
        operators = sum(map(statement.count, _OPERATORS))
        if operators > _MAX_OPERATORS:
            fault = too_large(
                "max_operators",
                _MAX_OPERATORS,
                operators,
                f"one statement has {operators:,} operators, and the most is {_MAX_OPERATORS:,}",
            )
            fault.where = source.at(end - len(statement.lstrip("{}; \t\r\n")))
            raise fault


def _check_broadcasts(source: Source, sizes: dict[str, int], max_instructions: int) -> None:
    """Count what statements stand for; one on whole registers stands for as many as those have bits."""
    blanked = source.blanked
    total = 0
    start = 0
    for end in statement_ends(blanked):
        statement = blanked[start:end].strip()
        if _NOT_EXPANDED.match(statement) is None:
            names = _WHOLE_REGISTER.findall(_PARENTHESES.sub(" ", statement))
            total += max((sizes.get(name, 1) for name in names), default=1)
        if total > max_instructions:
            fault = too_large(
                "max_instructions",
                max_instructions,
                total,
                f"the program expands to more than {max_instructions:,} instructions",
            )
            fault.where = source.at(start + len(blanked[start:end]) - len(blanked[start:end].lstrip()))
            raise fault
        start = end
