"""What an OpenQASM 3 program gives, by the names of its registers, and programs that tell what they give."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from basicaer import simulator as sim
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import HIDDEN
from basicaer.service.parsing.openqasm3._lowering import lower
from basicaer.v1 import circuit_pb2 as pb
from basicaer.v1 import job_pb2

__all__ = ["Section", "circuit", "outcomes", "sections", "values"]

_MOST = 200_000
_DECLARED = re.compile(
    r"^\s*output\s+(\w+)(?:\[[^\]]*\])?\s+([^\W\d]\w*)|; output (\w+)(?:\[[^\]]*\])? (\w+)", re.M
)
_HEAD = "// section: "


class Section(NamedTuple):
    """A program about a part of the language, and the probability of each of its outcomes."""

    name: str
    text: str
    expected: dict[str, float]


def circuit(text: str, *, is_flat: bool = True, externs: Sequence[job_pb2.ExternFunction] = ()) -> pb.Circuit:
    """Returns a program's circuit."""
    given = job_pb2.Program(externs=externs).SerializeToString()
    return lower(text, _MOST, given, at_once=False, is_flat=is_flat)


def outcomes(
    text: str, *, shots: int = 2000, externs: Sequence[job_pb2.ExternFunction] = ()
) -> dict[str, float]:
    """Returns how often each outcome comes, as in "c=01 n=0011"."""
    message = circuit(text, externs=externs)
    result = sim.run(sim.ValidCircuit(to_simulator(message), max_instructions=_MOST), shots=shots, seed=7)
    shown = [each for each in message.classical_registers if not each.name.startswith(HIDDEN)]
    counts: Counter[str] = Counter()
    for words, count in zip(result.outcomes, result.counts, strict=True):
        counts[" ".join(f"{each.name}={_digits(words, each.bits)}" for each in shown)] += int(count)
    return {outcome: count / shots for outcome, count in counts.items()}


def _digits(words: Sequence[int], bits: Sequence[int]) -> str:
    whole = sum(int(word) << (64 * place) for place, word in enumerate(words))
    return "".join(str(whole >> bit & 1) for bit in reversed(bits))


def values(text: str, *, shots: int = 2000) -> dict[str, float]:
    """Returns how often each outcome comes, with integers in decimal digits, as in "c=01 n=3"."""
    kinds = {found[2] or found[4]: found[1] or found[3] for found in _DECLARED.finditer(text)}
    shares: dict[str, float] = {}
    for outcome, share in outcomes(text, shots=shots).items():
        parts = (part.partition("=") for part in outcome.split())
        shown = " ".join(f"{name}={_number(digits, kinds.get(name, ''))}" for name, _, digits in parts)
        shares[shown] = shares.get(shown, 0.0) + share
    return shares


def _number(digits: str, kind: str) -> str:
    if kind == "uint":
        return str(int(digits, 2))
    if kind == "int":
        return str(int(digits, 2) - (1 << len(digits) if digits[0] == "1" else 0))
    return digits


def sections(path: Path) -> list[Section]:
    """Returns the programs of a file: each begins with its section's name and the outcomes that are expected,
    as in "// expect: c=01 : 0.5".
    """
    found = []
    for part in path.read_text(encoding="utf-8").split(_HEAD)[1:]:
        name, _, text = part.partition("\n")
        expected: dict[str, float] = {}
        for line in re.findall(r"^// expect: (.*)$", text, re.M):
            outcome, _, probability = line.partition(" : ")
            expected[outcome] = float(probability or 1)
        found.append(Section(name, text, expected))
    return found
