"""Where bits stand: registers that follow one another, as the language declares them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from basicaer.client._errors import CircuitError
from basicaer.client.openqasm3._names import Names
from basicaer.client.openqasm3._types import ANGLE, BIT, BOOL, FLOAT, INT, UINT, Type
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Declared", "Layout"]

# What the names of registers begin with that no result shows.
_HIDDEN = "."
# Of a kind, in all registers.
_MOST_BITS = 1_000_000


class Declared(NamedTuple):
    """What is declared: its name, where its bits begin and end, whether results show it, and its type.

    A register of bits has no `word`.
    """

    name: str
    start: int
    end: int
    is_shown: bool = True
    word: str = ""


class Layout:
    """Declares all bits of a kind in their order, by the circuit's registers where these follow one another.

    Bits of no register get one of their own. Where registers share bits or have them in another order, there
    is one register for all, and theirs are picked out of it. A register that is an output has its type, and
    those of an array are its elements.
    """

    def __init__(
        self,
        registers: Sequence[pb.Register],
        count: int,
        default: str,
        names: Names,
        outputs: Iterable[pb.ClassicalOutput] = (),
    ) -> None:
        if max(count, sum(each.size for each in registers)) > _MOST_BITS:
            raise CircuitError(f"More than {_MOST_BITS:,} bits are not written as OpenQASM 3.")
        self.bits = _bits(registers)
        self.declared: list[Declared] = []
        self.texts: list[str] = []
        self.types: dict[int, Type] = {}
        """Of registers that are no bits: how the language takes them."""
        self._floats: set[int] = set()
        self._whole: dict[int, str] = {}
        order = _in_order(self.bits)
        typed = {output.clbit: output for output in outputs}
        place = 0
        while place < len(order):
            start, _, number = order[place]
            self._declare_bits(names.new(default) if len(self.texts) < start else "", start)
            taken = self._declare_output(typed.get(start), order[place:], names)
            if not taken:
                wanted = registers[number].name
                self._whole[number] = name = names.new(wanted)
                self._declare_bits(name, order[place][1], is_shown=not wanted.startswith(_HIDDEN))
            place += max(taken, 1)
        self._declare_bits(names.new(default) if len(self.texts) < count else "", count)
        self._starts = {each.start: each for each in self.declared if not each.word}

    def _declare_bits(self, name: str, end: int, *, is_shown: bool = True) -> None:
        start = len(self.texts)
        if name:
            self.declared.append(Declared(name, start, end, is_shown))
            self.texts += [f"{name}[{place}]" for place in range(end - start)]

    def _declare_output(
        self, output: pb.ClassicalOutput | None, order: Sequence[tuple[int, int, int]], names: Names
    ) -> int:
        """Declare an output by its type; return how many registers it takes, 0 if it has no such type."""
        word, size = _element(output.type) if output else ("", 0)
        if output is None or not word:
            return 0
        count = math.prod(output.shape)
        elements = order[:count]
        wanted = [(output.clbit + size * place, output.clbit + size * (place + 1)) for place in range(count)]
        if [(start, end) for start, end, _ in elements] != wanted or not count:
            return 0
        name = names.new(output.name)
        indices = itertools.product(*(range(axis) for axis in output.shape))
        for (_, _, number), index in zip(elements, indices, strict=True):
            text = f"{name}[{', '.join(map(str, index))}]" if index else name
            self._whole[number] = text
            has_bits = output.type.kind not in (BOOL, FLOAT) and (
                output.type.kind != BIT or output.type.width
            )
            self.texts += [f"{text}[{bit}]" if has_bits else text for bit in range(size)]
            if output.type.kind == FLOAT:
                self._floats.update(self.bits[number])
            if not has_bits or output.type.kind != BIT:
                self.types[number] = Type(output.type.kind, size)
        axes = "".join(f", {axis}" for axis in output.shape)
        self.declared.append(
            Declared(name, wanted[0][0], wanted[-1][1], word=f"array[{word}{axes}]" if axes else word)
        )
        return count

    def register(self, number: int) -> str:
        """Return a register of the circuit, which has bits, as a text."""
        if number in self._whole:
            return self._whole[number]
        (only,) = self.declared
        bits = self.bits[number]
        if bits == list(range(only.end)):
            return only.name
        return f"{only.name}[{{{', '.join(map(str, bits))}}}]"

    def check_bits(self, bits: Iterable[int]) -> None:
        """Check that bits can be used as such.

        Raises:
            CircuitError: One belongs to an output of type float, whose bits the language can't take.
        """
        if self._floats and not self._floats.isdisjoint(bits):
            raise CircuitError("The bits of an output of type float are not written as OpenQASM 3.")

    def operands(self, bits: Sequence[int]) -> str:
        """Return bits as a list, with the name alone for a register that stands there as a whole."""
        made = []
        place = 0
        while place < len(bits):
            each = self._starts.get(bits[place])
            size = each.end - each.start if each else 0
            if each and list(bits[place : place + size]) == list(range(each.start, each.end)):
                made.append(each.name)
                place += size
            else:
                made.append(self.texts[bits[place]])
                place += 1
        return ", ".join(made)


def _in_order(bits: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """Return where registers begin and end, and their numbers; nothing if they don't follow one another."""
    order = sorted(
        (each[0], each[-1] + 1, number)
        for number, each in enumerate(bits)
        if each and each == list(range(each[0], each[0] + len(each)))
    )
    follow = all(one[1] <= other[0] for one, other in itertools.pairwise(order))
    return order if follow and len(order) == sum(1 for each in bits if each) else []


def _element(type_: pb.ClassicalType) -> tuple[str, int]:
    """Return an output's type in the language, and its bits; nothing for one that is written as bits."""
    if type_.kind == BIT:
        return (f"bit[{type_.width}]", type_.width) if type_.width else ("bit", 1)
    if type_.kind == BOOL:
        return "bool", 1
    if type_.kind == FLOAT:
        size = type_.width or 64
        return f"float[{size}]", size
    if type_.kind not in (UINT, INT, ANGLE):
        return "", 0
    size = type_.width or 64
    return Type(type_.kind, size).word, size


def _bits(registers: Sequence[pb.Register]) -> list[list[int]]:
    """Return each register's bits: those that it names, or those that follow the ones before it."""
    made: list[list[int]] = []
    following = 0
    for register in registers:
        bits = list(register.bits) or list(range(following, following + register.size))
        following = bits[-1] + 1 if bits else following
        made.append(bits)
    return made
