"""A program's text as its author sees it, and the same text as Qiskit's parser reads it.

That parser ends lines at newlines alone, knows no other file than `qelib1.inc`, and takes names of gates for
its own instructions. So it is given a text in which such things are written another way, character for
character, so that every position is the same in both.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from basicaer.service.parsing._faults import ProgramFault, Where

__all__ = ["HQSLIB1", "HQSLIB1_NAMES", "QELIB1", "Declaration", "Source", "read"]

QELIB1 = "qelib1.inc"
HQSLIB1 = "hqslib1.inc"
# The names of hqslib1.inc that begin with a capital, as no name does in OpenQASM 2.
HQSLIB1_NAMES = ("Rxxyyzz", "RZZ", "Rz", "U1q", "ZZ")

_BYTE_ORDER_MARK = "\ufeff"
_TOKEN = re.compile(r"\w+|->|==|\"[^\"]*\"")
_LONE_RETURN = re.compile(r"\r(?!\n)")
# What ends a line for some, and doesn't for OpenQASM.
_DOUBTFUL_ENDS = re.compile("[\v\f\x85\u2028\u2029]")
_COMMENT_OR_FILE = re.compile(r"//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'")
_HERE = re.compile(r"(?:\.[/\\])+")
# One for each word, as a search for a fixed beginning is several times faster.
_DECLARATIONS = {
    **{
        word: re.compile(rf"{word}(?<!\w{word})\s+([A-Za-z]\w*)\s*(?:\(([^(){{}};]*)\))?([^(){{}};]*)")
        for word in ("gate", "opaque")
    },
    **{word: re.compile(rf"{word}(?<!\w{word})\s+([A-Za-z]\w*)()()") for word in ("qreg", "creg")},
}
# As many tries to find a name that a text hasn't.
_MOST_TRIES = 1_000
# Qiskit takes an instruction of one of these names for its own, whatever it is. Of all names in Qiskit 2.6 it
# is "store" alone that breaks something; the others are here since another version may be as trusting.
_QISKITS = frozenset(
    (
        *("annotated", "barrier", "box", "break_loop", "circuit", "continue_loop", "for_loop"),
        *("if_else", "initialize", "isometry", "kraus", "measure", "pauli_product_measurement"),
        *("pauli_product_rotation", "permutation", "reset", "snapshot", "store", "superop", "switch_case"),
        *("unitary", "while_loop"),
    )
)


class Declaration(NamedTuple):
    """What a program declares: `word` is gate, opaque, qreg or creg; the numbers are those of gates."""

    word: str
    name: str
    num_params: int
    num_qubits: int


@dataclass(frozen=True)
class Source:
    """A program.

    Attributes:
        text: The text, without a byte order mark.
        code: What Qiskit's parser is given, as long as `text`.
        blanked: The code without comments and file names, as long as `text`.
        declarations: What it declares.
        names: The names of the text by those that stand for them in the code.
        includes_hqslib1: Whether it includes `hqslib1.inc`.
    """

    text: str
    code: str
    blanked: str
    declarations: tuple[Declaration, ...]
    names: Mapping[str, str]
    includes_hqslib1: bool

    def at(self, offset: int) -> Where:
        """Return the line and column of a character."""
        return _position(self.text, self.code, offset)

    def offset(self, line: int, column: int) -> int:
        """Return the character at Qiskit's position: it counts lines from 1, and columns from 0, in bytes."""
        lines = self.code.split("\n")
        if line > len(lines):
            # The text's end, behind its last newline.
            return len(self.code)
        start = sum(map(len, lines[: line - 1])) + line - 1
        return start + len(lines[line - 1].encode()[:column].decode(errors="ignore"))

    def in_its_words(self, message: str) -> str:
        """Return a message about the code, about the text."""
        for ours, theirs in self.names.items():
            message = re.sub(rf"\b{ours}\b", theirs, message)
        return message


def _position(text: str, code: str, offset: int) -> Where:
    line = code.count("\n", 0, offset)
    start = code.rfind("\n", 0, offset) + 1
    end = code.find("\n", offset)
    end = end if end >= 0 else len(text)
    token = _TOKEN.match(code, offset, end)
    length = 1 if token is None else token.end() - offset
    return Where.within(line + 1, offset - start + 1, text[start:end], length)


def read(text: str) -> Source:
    """Read a text, whose size is checked already.

    Raises:
        ProgramFault: PROGRAM_INVALID: a comment goes on behind what may be the end of its line.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    code = _LONE_RETURN.sub("\n", text) if "\r" in text else text
    if not (code.isascii() and "\v" not in code and "\f" not in code):
        _check_comments(text, code)
    includes_hqslib1 = HQSLIB1 in code
    if includes_hqslib1 or "./" in code or ".\\" in code:
        code, includes_hqslib1 = _with_files_renamed(code)
    blanked = _blank(code)
    declarations = tuple(_declarations(blanked))
    wanted = [*HQSLIB1_NAMES] if includes_hqslib1 else []
    # An opaque gate of such a name isn't one of the contract's saves.
    wanted += [each.name for each in declarations if each.name in _QISKITS or each.name.startswith("save_")]
    # The results have the names of registers.
    registers = {each.name for each in declarations if each.word in ("qreg", "creg")}
    ours = dict(_unused_names([name for name in wanted if name not in registers], code))
    if ours:
        pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(ours)})(?!\w)")
        code = _replaced(code, blanked, pattern, ours)
        blanked = _replaced(blanked, blanked, pattern, ours)
        declarations = tuple(each._replace(name=ours.get(each.name, each.name)) for each in declarations)
    theirs = {new: name for name, new in ours.items()}
    return Source(text, code, blanked, declarations, theirs, includes_hqslib1)


def _check_comments(text: str, code: str) -> None:
    """Look for statements that a comment swallows though some editors show them in a line of their own."""
    for comment in _COMMENT_OR_FILE.finditer(code):
        end = _DOUBTFUL_ENDS.search(comment.group())
        if end is None or not comment.group().startswith("//") or not comment.group()[end.end() :].strip():
            continue
        raise ProgramFault(
            f"a comment goes on behind the character U+{ord(end.group()):04X}, which ends a line for some "
            "editors but not in OpenQASM; put a newline or a space in its place",
            where=_position(text, code, comment.start() + end.start()),
        )


def _blank(code: str) -> str:
    """Return the code with comments and file names replaced by spaces, so that every position stays what
    it was.
    """
    if "//" not in code and '"' not in code and "'" not in code:
        return code
    return _COMMENT_OR_FILE.sub(lambda match: " " * len(match.group()), code)


def _with_files_renamed(code: str) -> tuple[str, bool]:
    """Return the code with the usual file in the place of those that are known, and whether hqslib1.inc is
    one.

    That has all gates of qelib1.inc, and more.
    """
    found = False

    def rename(match: re.Match[str]) -> str:
        nonlocal found
        written = match.group()
        name = _HERE.sub("", written[1:-1], count=1) if written[1:2] == "." else written[1:-1]
        if written.startswith("//") or name not in (QELIB1, HQSLIB1):
            return written
        found |= name == HQSLIB1
        return f'"{QELIB1}"'.ljust(len(written))

    return _COMMENT_OR_FILE.sub(rename, code), found


def _declarations(blanked: str) -> Iterator[Declaration]:
    for word, pattern in _DECLARATIONS.items():
        for match in pattern.finditer(blanked):
            counts = (len(re.findall(r"\w+", part or "")) for part in match.group(2, 3))
            yield Declaration(word, match[1], *counts)


def _unused_names(wanted: Iterable[str], code: str) -> Iterator[tuple[str, str]]:
    """For each name that the code has, one of the same length that it hasn't. There is none of one letter."""
    taken: set[str] = set()
    for name in dict.fromkeys(wanted):
        if name not in code:
            continue
        candidates = itertools.product(string.ascii_lowercase, *[string.digits] * (len(name) - 1))
        for unused in map("".join, itertools.islice(candidates, _MOST_TRIES)):
            if unused not in taken and unused not in code:
                taken.add(unused)
                yield name, unused
                break


def _replaced(code: str, blanked: str, pattern: re.Pattern[str], names: Mapping[str, str]) -> str:
    """Return the code with other names, but for its comments and file names."""
    pieces: list[str] = []
    start = 0
    for match in pattern.finditer(blanked):
        pieces += [code[start : match.start()], names[match.group()]]
        start = match.end()
    return "".join([*pieces, code[start:]])
