"""Which gates Qiskit's parser knows beforehand: those of Qiskit, but none that a program defines otherwise.

The parser takes Qiskit's gate for a definition of the same name and sizes, whatever that says, and refuses
one of other sizes; it has names of functions that OpenQASM 2 leaves free. So what a program declares itself
is taken out, unless it is the same as Qiskit's, which is faster.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing._source import Declaration, Source

__all__ = ["Dialect", "choose_dialect", "is_parser_error", "loads", "names_of_classes", "names_of_gates"]

# A gate of more instructions isn't compared with Qiskit's of that name.
_MOST_COMPARED = 10_000
# The functions that Qiskit adds to those of OpenQASM 2, in its order.
_FUNCTIONS = ("asin", "acos", "atan")
# How large parameters are in the comparison. Two gates that agree on all of these are the same: they also
# agree on negative numbers and beyond a full turn.
_PROBED = (1.0, 6.0, 30.0, 30.0)


class Dialect(NamedTuple):
    """What the parser knows beforehand, in Qiskit's terms."""

    instructions: tuple[Any, ...]
    functions: tuple[Any, ...]


def loads(code: str, dialect: Dialect) -> Any:
    """Return the code as Qiskit's circuit. Raises whatever Qiskit does."""
    from qiskit import qasm2

    return qasm2.loads(
        code,
        include_path=(),
        custom_instructions=dialect.instructions,
        custom_classical=dialect.functions,
    )


def is_parser_error(error: BaseException) -> bool:
    """Whether this is the program's fault: all that Qiskit and arithmetic raise for a program.

    Qiskit raises what Python does for much of it, such as a TypeError for a gate that is called without its
    parameters. A panic of its parser's Rust code derives from BaseException.
    """
    if isinstance(error, Exception):
        return not isinstance(error, MemoryError)
    return type(error).__name__ == "PanicException"


@functools.cache
def _legacy() -> dict[str, Any]:
    """Qiskit's additions to qelib1.inc by their names."""
    from qiskit import qasm2

    return {custom.name: custom for custom in qasm2.LEGACY_CUSTOM_INSTRUCTIONS}


@functools.cache
def names_of_classes() -> dict[str, str]:
    """Return what OpenQASM 2 calls Qiskit's gates, by the names of their constructors."""
    return {custom.constructor.__name__: custom.name for custom in _legacy().values()}


def names_of_gates() -> Set[str]:
    """Return the gates of Qiskit's dialect."""
    return _legacy().keys()


def _hqslib1(source: Source) -> dict[str, Any]:
    """Return what hqslib1.inc has beyond qelib1.inc, for a program that includes it; by the names in the
    code.
    """
    from qiskit import qasm2
    from qiskit.circuit import library as lib

    if not source.includes_hqslib1:
        return {}
    gates: dict[str, tuple[int, int, Callable[..., Any]]] = {
        "Rz": (1, 1, lib.RZGate),
        "U1q": (2, 1, lib.RGate),
        "ZZ": (0, 2, lambda: lib.RZZGate(math.pi / 2)),
        "RZZ": (1, 2, lib.RZZGate),
        "Rxxyyzz": (3, 2, _rxxyyzz),
        "cs": (0, 2, lib.CSGate),
        "csdg": (0, 2, lib.CSdgGate),
        # The file controls a rotation of determinant 1, and has the inverse of what Qiskit calls c3sqrtx.
        "cu3": (3, 2, lambda theta, phi, lam: lib.CUGate(theta, phi, lam, -(phi + lam) / 2)),
        "c3sqrtx": (0, 4, lambda: lib.C3SXGate().inverse()),
    }
    ours = {name: new for new, name in source.names.items()}
    named = {ours.get(name, name): gate for name, gate in gates.items() if name in ours or name.islower()}
    return {name: qasm2.CustomInstruction(name, *gate, builtin=True) for name, gate in named.items()}


def _rxxyyzz(alpha: float, beta: float, gamma: float) -> Any:
    """Return the rotation by XX, YY and ZZ, which commute."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2, name="Rxxyyzz")
    circuit.rxx(alpha, 0, 1)
    circuit.ryy(beta, 0, 1)
    circuit.rzz(gamma, 0, 1)
    return circuit.to_gate()


def choose_dialect(source: Source, at_once: bool) -> Dialect:
    """Return the gates and functions for this program.

    Raises:
        TakesLongError: A gate of its own has to be compared with Qiskit's, and `at_once` was asked for.
    """
    from qiskit import qasm2

    instructions = _legacy() | _hqslib1(source)
    declared = {each.name: each for each in source.declarations}
    functions = tuple(
        function
        for name, function in zip(_FUNCTIONS, qasm2.LEGACY_CUSTOM_CLASSICAL, strict=True)
        if name not in declared
    )
    own = [instructions[name] for name in declared if name in instructions]
    if not own:
        return Dialect(tuple(instructions.values()), functions)
    # An opaque gate of Qiskit's sizes is Qiskit's.
    kept = {custom.name for custom in own if declared[custom.name] == _declaration("opaque", custom)}
    compared = [custom for custom in own if declared[custom.name] == _declaration("gate", custom)]
    # These take whole numbers alone.
    compared = [custom for custom in compared if custom.name not in ("u0", "delay")]
    without = set(declared) - kept
    others = Dialect(tuple(custom for name, custom in instructions.items() if name not in without), functions)
    if not compared:
        return others
    if at_once:
        raise TakesLongError
    same = _same(source, others, compared)
    return others._replace(instructions=(*others.instructions, *same)) if same else others


def _declaration(word: str, custom: Any) -> Declaration:
    return Declaration(word, custom.name, custom.num_params, custom.num_qubits)


def _same(source: Source, others: Dialect, compared: Sequence[Any]) -> list[Any]:
    """Which of Qiskit's gates equal the program's definitions of their names, but for a phase."""
    # Nobody writes a definition that agrees with Qiskit's on these numbers alone.
    chance = random.Random(source.code)
    rows = {
        custom.name: [
            [chance.uniform(-size, size) for _ in range(custom.num_params)]
            for size in (_PROBED if custom.num_params else _PROBED[:1])
        ]
        for custom in compared
    }
    calls = [
        f"{custom.name}({','.join(f'{value!r}' for value in values)})"
        f" {','.join(f'basicaer_probe[{qubit}]' for qubit in range(custom.num_qubits))};"
        for custom in compared
        for values in rows[custom.name]
    ]
    width = max(custom.num_qubits for custom in compared)
    probed = f"{source.code}\nqreg basicaer_probe[{width}];{''.join(calls)}"
    try:
        probes = iter(loads(probed, others).data[-len(calls) :])
    except BaseException as error:
        if not is_parser_error(error):
            raise
        return []  # It has an error, which is found again with its position.
    equal = {
        custom.name: [_agree(next(probes).operation, custom.constructor(*row)) for row in rows[custom.name]]
        for custom in compared
    }
    return [custom for custom in compared if all(equal[custom.name])]


def _agree(gate: Any, other: Any) -> bool:
    """Whether two gates have the same matrix, but for a phase."""
    first, second = _matrix(gate), _matrix(other)
    if first is None or second is None:
        return False
    overlap = np.vdot(first, second) / len(first)
    return bool(abs(abs(overlap) - 1.0) < 1e-9)


def _matrix(gate: Any) -> Any:
    """Return the gate's matrix; None when it has none or takes too many gates to tell."""
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import Operator

    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    try:
        # Counts what it expands to, which Qiskit doesn't.
        circuit_to_proto(circuit, max_instructions=_MOST_COMPARED)
        return Operator(circuit).data
    except BaseException as error:
        if not is_parser_error(error):
            raise
        return None
