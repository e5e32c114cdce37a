"""Lines of stim's language: instructions with their arguments and targets, and blocks that are repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from basicaer.simulator._errors import StimTextError
from basicaer.simulator._pausing import current_pause

_LINE = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*)(?P<tag>\[(?:[^\]\\\r\n]|\\.)*\])?"
    r"(?:\((?P<arguments>[^)]*)\))?(?P<rest>.*)"
)
_TARGET = re.compile(
    r"(?P<flip>!?)(?:(?P<number>\d+)|(?P<pauli>[XYZxyz])(?P<place>\d+)|(?P<kind>rec|sweep)\[(?P<index>-?\d+)\])"
)
_WORD = re.compile(r"[^\s*#]+|\*|#.*")
_COUNT = re.compile(r"\s+(\d+)\s*\{\s*(?:#.*)?")
# Beyond every qubit, record and number of turns.
_MOST_DIGITS = 18
_LONGEST = 40
_DEEPEST = 50


class Target(NamedTuple):
    """A qubit ("qubit"), a qubit with a Pauli operator ("X", "Y", "Z"), a record ("rec") or a sweep bit.

    `first` tells that no combiner (`*`) joins it to the target before.
    """

    kind: str
    value: int
    flipped: bool
    column: int
    first: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """An instruction at its place; `number` is that among all of the text."""

    name: str
    arguments: tuple[float, ...]
    targets: Sequence[Target]
    line: int
    column: int
    number: int

    def error(self, message: str, target: Target | None = None) -> StimTextError:
        """Return what is wrong with it, or with one of its targets."""
        if target is None:
            return StimTextError(message, self.line, self.column, len(self.name))
        return StimTextError(message, self.line, target.column)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A block, which is done `count` times."""

    count: int
    line: int
    column: int
    body: list[Statement | Repeat] = field(default_factory=list)


def statements(text: str) -> list[Statement | Repeat]:
    """Return what a text says. Raises `StimTextError`."""
    top: list[Statement | Repeat] = []
    blocks: list[Repeat] = []
    count = 0
    pause = current_pause()
    for line, content in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        pause()
        bare = content.strip()
        if not bare or bare[0] == "#":
            continue
        into = blocks[-1].body if blocks else top
        if bare[0] == "}":
            if not blocks:
                raise StimTextError("this } closes no block; remove it", line, content.index("}") + 1)
            after = bare[1:].lstrip()
            if after and after[0] != "#":
                raise StimTextError("a } ends its line; put what follows on another", line, len(content))
            blocks.pop()
            continue
        match = _LINE.match(content)
        if match is None:
            column = len(content) - len(content.lstrip()) + 1
            raise StimTextError("an instruction begins with a name, such as CX or DETECTOR", line, column)
        if match["name"].upper() == "REPEAT":
            block = _repeat(match, line, len(blocks))
            into.append(block)
            blocks.append(block)
            continue
        into.append(_statement(match, line, count))
        count += 1
    if blocks:
        raise StimTextError("this block isn't closed; end it by }", blocks[-1].line, blocks[-1].column)
    return top


def _repeat(match: re.Match[str], line: int, depth: int) -> Repeat:
    column = match.start("name") + 1
    found = _COUNT.fullmatch(match["rest"])
    if match["arguments"] is not None or found is None:
        raise StimTextError("REPEAT is written as REPEAT 5 { at the end of a line", line, column, 6)
    if len(found[1]) > _MOST_DIGITS or not int(found[1]):
        raise StimTextError(
            "a block is repeated at least once, and less than 10^18 times", line, match.start("rest") + 2
        )
    if depth == _DEEPEST:
        raise StimTextError(f"blocks lie more than {_DEEPEST} deep in one another", line, column, 6)
    return Repeat(int(found[1]), line, column)


def _statement(match: re.Match[str], line: int, number: int) -> Statement:
    name, column = match["name"].upper(), match.start("name") + 1
    arguments = []
    if match["arguments"] is not None and match["arguments"].strip():
        for part in match["arguments"].split(","):
            try:
                arguments.append(float(part))
            except ValueError:
                message = f"{_quoted(part.strip())} is no number"
                raise StimTextError(message, line, match.start("arguments") + 1) from None
    rest, begin = match["rest"], match.start("rest")
    if rest and not rest[0].isspace() and rest[0] != "#":
        raise StimTextError(f"{_quoted(rest.split()[0])} is unexpected behind {name}", line, begin + 1)
    return Statement(name, tuple(arguments), _targets(rest, begin, line), line, column, number)


def _targets(rest: str, begin: int, line: int) -> list[Target]:
    found: list[Target] = []
    joined = False
    for word in _WORD.finditer(rest):
        content, column = word[0], begin + word.start() + 1
        if content[0] == "#":
            break
        if content == "*":
            if joined or not found:
                raise StimTextError("a * stands between two targets", line, column)
            joined = True
            continue
        target = _TARGET.fullmatch(content)
        if target is None:
            message = f"{_quoted(content)} is no target; those are such as 3, !3, X3 and rec[-1]"
            raise StimTextError(message, line, column, len(content))
        kind, digits = "qubit", target["number"]
        if target["pauli"]:
            kind, digits = target["pauli"].upper(), target["place"]
        elif target["kind"]:
            kind, digits = target["kind"], target["index"]
        if len(digits) > _MOST_DIGITS:
            raise StimTextError("this number is too large", line, column, len(content))
        found.append(Target(kind, int(digits), bool(target["flip"]), column, not joined))
        joined = False
    if joined:
        raise StimTextError("a * stands between two targets", line, begin + len(rest.rstrip()))
    return found


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
