"""Which vector instructions our kernels were compiled to: `python -m benchmarks.peers._instructions [WORD]`.

Each function that works on a block is compiled again, alone, and its assembly is counted: what stands in the
code, not how often it runs. Registers are told by their names: zmm has 64 bytes, ymm 32, xmm 16. A spill is
a vector that goes to the stack and back, for want of registers.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from basicaer.simulator.methods.statevector.engine.blocks import _diagonal, _executor, _kernels
from llvmlite import binding
from numba import njit, types

from benchmarks.peers._report import table, verdict

KINDS = ("multiply-add", "other arithmetic", "load or store", "copy", "broadcast", "shuffle", "spill")
_LINE = re.compile(r"\s+([a-z][a-z0-9]+)\s+(.*[xyz]mm\d.*)")
_REGISTER = re.compile(r"%([xyz]mm)")
_REALS = ("re", "im", "state", "coefs", "scratch", "single", "tables", "source", "factor", "result")
_TABLES = ("terms", "positions", "at", "to")


def kernels() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return the compiled functions that take the two halves of a block, by name."""
    modules: tuple[ModuleType, ...] = (_kernels, _diagonal, _executor)
    for module in modules:
        for name, function in vars(module).items():
            plain = getattr(function, "py_func", None)
            if plain is None or plain.__module__ != module.__name__:
                continue
            parameters = inspect.signature(plain).parameters.keys()
            # What interprets a program's rows is made of the kernels.
            if {"re", "im"} <= parameters and not {"row", "rows"} & parameters:
                yield name, plain


def signature(function: Callable[..., Any], real: Any) -> tuple[Any, ...] | None:
    """Return the types of a kernel's arguments, which the engine names alike everywhere; None for unknown
    ones.
    """
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation == "int" or parameter.annotation is int:
            found.append(types.int64)
        elif name in _REALS:
            found.append(types.Array(real, 1, "C"))
        elif name in _TABLES:
            found.append(types.Array(types.int64, 2, "C"))
        elif name == "flag":
            found.append(types.Array(types.uint8, 1, "C"))
        else:
            return None
    return tuple(found)


def count(assembly: str) -> Counter[tuple[str, str]]:
    """How many instructions of each (kind, register) there are."""
    found: Counter[tuple[str, str]] = Counter()
    for line in assembly.splitlines():
        if match := _LINE.match(line):
            name, operands = match.groups()
            found[_kind(name, operands), max(_REGISTER.findall(operands))] += 1
    return found


def _kind(name: str, operands: str) -> str:
    in_memory = "(" in operands
    if "(%rsp)" in operands and "mov" in name:
        return "spill"
    if name.startswith(("vfm", "vfnm")):
        return "multiply-add"
    if "broadcast" in name:
        return "broadcast"
    if name.startswith(("vperm", "vunpck", "vshuf", "vinsert", "vextract", "vblend", "valign", "vmovddup")):
        return "shuffle"
    if "mov" in name:
        return "load or store" if in_memory else "copy"
    return "other arithmetic"


def main(word: str = "") -> None:
    """Print the table, of kernels with the word in their names, and whether they use the widest registers."""
    widest = "zmm" if binding.get_host_cpu_features().get("avx512f") else "ymm"
    rows, narrow = [], []
    for precision, real in (("double", types.float64), ("single", types.float32)):
        for name, function in kernels():
            if word not in name:
                continue
            arguments = signature(function, real)
            if arguments is None:
                rows.append([name, precision, *["-"] * (3 + len(KINDS))])
                continue
            compiled = njit(nogil=True, error_model="numpy", boundscheck=False)(function)
            compiled.compile(arguments)
            found = count(next(iter(compiled.inspect_asm().values())))
            if not any(kind == "load or store" for kind, _ in found):
                continue  # the kernel is the other precision's
            widths = [
                sum(n for (_, other), n in found.items() if other == register)
                for register in ("zmm", "ymm", "xmm")
            ]
            kinds = [sum(n for (other, _), n in found.items() if other == kind) for kind in KINDS]
            rows.append([name, precision, *map(str, widths + kinds)])
            if any(kind == "multiply-add" and register < widest for kind, register in found):
                narrow.append(f"{name} in {precision} precision")
    print("### Vector instructions of the kernels\n")
    claim = f"vectors are multiplied and added in {widest} registers"
    bound = verdict(not narrow, claim + (f", but not in {', '.join(narrow)}" if narrow else ""))
    print(table(["kernel", "precision", "zmm", "ymm", "xmm", *KINDS], rows) + bound)


if __name__ == "__main__":
    main(*sys.argv[1:])
