"""What Qiskit's operations are, to the converter: which kind, what their parts are, and what they expand to.

Like the rest of the converter it imports nothing of Qiskit.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
from basicaer.client._qiskit_expressions import ConversionError
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "FLOW_NAMES",
    "GATE_SHAPES",
    "MAX_DEPTH",
    "CircuitTooLargeError",
    "Kind",
    "NestingTooDeepError",
    "OperationReader",
]

# The gates that every server knows under Qiskit's names: qubits and parameters.
GATE_SHAPES: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"), (1, 0)),
    **dict.fromkeys(("p", "u1", "rx", "ry", "rz"), (1, 1)),
    **dict.fromkeys(("r", "u2"), (1, 2)),
    **dict.fromkeys(("u", "u3"), (1, 3)),
    **dict.fromkeys(("cx", "cy", "cz", "ch", "cs", "csdg", "csx", "swap", "iswap", "dcx", "ecr"), (2, 0)),
    **dict.fromkeys(("cp", "cu1", "crx", "cry", "crz", "rxx", "ryy", "rzz", "rzx"), (2, 1)),
    **dict.fromkeys(("xx_minus_yy", "xx_plus_yy"), (2, 2)),
    "cu3": (2, 3),
    "cu": (2, 4),
    **dict.fromkeys(("ccx", "ccz", "cswap", "rccx"), (3, 0)),
    **dict.fromkeys(("c3sx", "rcccx"), (4, 0)),
    "global_phase": (0, 1),
}

FLOW_NAMES = frozenset({"if_else", "while_loop", "for_loop", "switch_case", "break_loop", "continue_loop"})

# Deeper nesting of definitions or blocks than this is a mistake, such as a definition that contains itself.
MAX_DEPTH = 100

# As many extra controls as the contract has bits for their state.
_MAX_OPEN_CONTROLS = 64


class Kind(enum.Enum):
    """How the converter treats an operation."""

    GATE = enum.auto()
    CONTROLLED = enum.auto()
    MATRIX = enum.auto()
    SIMPLE = enum.auto()
    DELAY = enum.auto()
    INITIALIZE = enum.auto()
    SAVE = enum.auto()
    STORE = enum.auto()
    FLOW = enum.auto()
    BOX = enum.auto()
    COMPOSITE = enum.auto()
    # Stands for another operation, which `OperationReader.resolved` gives.
    DEFERRED = enum.auto()


_CORE: dict[str, Kind] = {
    **dict.fromkeys(FLOW_NAMES, Kind.FLOW),
    **dict.fromkeys(("measure", "reset", "barrier"), Kind.SIMPLE),
    "box": Kind.BOX,
    "delay": Kind.DELAY,
    "store": Kind.STORE,
    "initialize": Kind.INITIALIZE,
    "unitary": Kind.MATRIX,
}
_CORE_MODULES = (
    "qiskit.circuit.barrier",
    "qiskit.circuit.controlflow",
    "qiskit.circuit.delay",
    "qiskit.circuit.library.data_preparation.initializer",
    "qiskit.circuit.library.generalized_gates.unitary",
    "qiskit.circuit.measure",
    "qiskit.circuit.reset",
    "qiskit.circuit.store",
)
_STANDARD_MODULE = "qiskit.circuit.library.standard_gates"


class CircuitTooLargeError(ConversionError):
    """The circuit expands to more than `limit` instructions; `actual` is how many were counted."""

    def __init__(self, limit: int, actual: int) -> None:
        super().__init__(
            f"the program expands to {actual:,} instructions or more, and the most is {limit:,}; "
            "use fewer gates, or gate definitions that are less deeply nested"
        )
        self.limit = limit
        self.actual = actual


class NestingTooDeepError(ConversionError):
    """Definitions or blocks are nested deeper than `limit` levels."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"gate definitions or blocks are nested more than {limit} levels deep")
        self.limit = limit


class OperationReader:
    """Reads Qiskit's operations for one conversion, and remembers what it has found.

    `max_work` bounds the instructions of definitions that are looked at while counting, so that definitions
    that are made anew each time they are asked for can't keep it busy for ever.
    """

    def __init__(self, max_work: int | None) -> None:
        self._max_work = max_work
        self._work = 0
        self._known: dict[tuple[type, str], Kind] = {}
        self._counts: dict[object, int] = {}
        self._resolved: dict[int, Any] = {}
        # Keeps operations alive whose ids are keys here or at the caller.
        self._alive: list[Any] = []

    def kind(self, operation: Any) -> Kind:
        """How to treat the operation.

        Raises:
            ConversionError: It is no gate that the service knows, and has neither a definition nor a matrix.
        """
        key = type(operation), operation.name
        kind = self._known.get(key)
        if kind is None:
            kind = _class_kind(*key)
            if kind is None:
                return _object_kind(operation)
            self._known[key] = kind
        return kind

    @staticmethod
    def condition(operation: Any) -> Any:
        """What `c_if` gave to the operation, or None."""
        # Qiskit 1.3 and 1.4 warn where the public name is read, whether there is a condition or not.
        if hasattr(operation, "_condition"):
            return operation._condition
        return getattr(operation, "condition", None)

    def identity(self, operation: Any) -> object:
        """What two operations have in common when they have the same definition, parameters included."""
        if type(operation).__name__ == "_DefinedGate":
            # Qiskit's OpenQASM 2 parser makes a new object for each use of a gate that the program defines.
            return operation.name, *operation.params
        self._alive.append(operation)
        return id(operation)

    def count(self, operation: Any, depth: int = 0) -> int:
        """How many instructions the operation expands to. Each definition is read once.

        Raises:
            NestingTooDeepError: The definitions are nested too deeply, or contain themselves.
            CircuitTooLargeError: Counting itself takes too long.
        """
        if depth > MAX_DEPTH:
            raise NestingTooDeepError(MAX_DEPTH)
        kind = self.kind(operation)
        if kind is Kind.DEFERRED:
            return self.count(self.resolved(operation), depth + 1)
        if kind is Kind.COMPOSITE:
            bodies = [operation.definition]
            total = 0
        elif kind in (Kind.FLOW, Kind.BOX):
            bodies = list(operation.blocks) if hasattr(operation, "blocks") else []
            total = 1
        else:
            return 1
        # A definition's length doesn't depend on the parameters that OpenQASM 2 gives it, so that its name
        # suffices.
        defined = type(operation).__name__ == "_DefinedGate"
        key = operation.name if defined else self.identity(operation)
        if key in self._counts:
            return self._counts[key]
        for body in bodies:
            data = body.data
            self._work += len(data)
            if self._max_work is not None and self._work > self._max_work:
                raise CircuitTooLargeError(self._max_work, self._work)
            quick = len(data) > 0 and hasattr(data[0], "is_standard_gate")
            for instruction in data:
                standard = quick and instruction.is_standard_gate() and instruction.name in GATE_SHAPES
                total += 1 if standard else self.count(instruction.operation, depth + 1)
        self._counts[key] = total
        return total

    def resolved(self, operation: Any) -> Any:
        """What a DEFERRED operation stands for."""
        found = self._resolved.get(id(operation))
        if found is None:
            self._alive.append(operation)
            found = self._resolved[id(operation)] = _resolve(operation)
        return found

    @staticmethod
    def controls(operation: Any) -> tuple[int, int, Any]:
        """For a CONTROLLED gate: how many controls, the state on which it acts, and the innermost gate."""
        count, state, base = operation.num_ctrl_qubits, operation.ctrl_state, operation.base_gate
        while base.name not in GATE_SHAPES and _is_controlled(base):
            state |= base.ctrl_state << count
            count += base.num_ctrl_qubits
            base = base.base_gate
        return count, state, base

    @staticmethod
    def matrix(operation: Any) -> pb.ComplexArray:
        """The matrix of a gate that has one."""
        try:
            return _complex_array(operation.to_matrix())
        except Exception as error:  # whatever a gate of somebody else's raises
            raise ConversionError(
                f"the matrix of the gate {operation.name!r} can't be made: {error}"
            ) from error

    @staticmethod
    def initialize(operation: Any) -> pb.Initialize:
        """The state that Qiskit's `Initialize` prepares."""
        values = operation.params
        if all(isinstance(value, str) for value in values):
            return pb.Initialize(label="".join(values))
        if len(values) == 1:
            return pb.Initialize(basis_state=int(np.real(values[0])))
        return pb.Initialize(amplitudes=_complex_array(values))


def _class_kind(operation_type: type, name: str) -> Kind | None:
    """The kind of one of Qiskit's own operations, or None."""
    base: type = getattr(operation_type, "base_class", operation_type)
    if not isinstance(base, type):
        # A property, in Qiskit's singletons: their class stands beside them in the order of inheritance.
        base = next(part for part in operation_type.__mro__ if not part.__name__.startswith("_Singleton"))
    if base.__module__.startswith(_STANDARD_MODULE) and name in GATE_SHAPES:
        return Kind.GATE
    if name in _CORE and any(
        str(part.__module__).startswith(_CORE_MODULES) for part in operation_type.__mro__
    ):
        return _CORE[name]
    return None


def _object_kind(operation: Any) -> Kind:
    """The kind of an operation that its class doesn't tell."""
    if operation.name.startswith("save_") and getattr(operation, "definition", None) is None:
        return Kind.SAVE
    if hasattr(operation, "modifiers") or (
        not hasattr(operation, "definition") and hasattr(operation, "to_instruction")
    ):
        return Kind.DEFERRED
    if _is_controlled(operation) and _is_plain_control(operation):
        return Kind.CONTROLLED
    if getattr(operation, "definition", None) is not None:
        return Kind.COMPOSITE
    if hasattr(operation, "__array__"):
        return Kind.MATRIX
    shape = GATE_SHAPES.get(operation.name)
    if shape == (operation.num_qubits, len(operation.params)):
        return Kind.GATE
    raise ConversionError(
        f"the service doesn't know {operation.name!r}, and it has no definition to expand; "
        "give the instruction a definition, or use a UnitaryGate"
    )


def _is_controlled(operation: Any) -> bool:
    return hasattr(operation, "base_gate") and hasattr(operation, "num_ctrl_qubits")


def _is_plain_control(operation: Any) -> bool:
    """Whether a controlled gate is its base gate with controls before it, and the service knows the base
    gate."""
    count, _, base = OperationReader.controls(operation)
    if count > _MAX_OPEN_CONTROLS or operation.num_qubits != count + base.num_qubits:
        return False
    kind = _class_kind(type(base), base.name)
    if kind is Kind.GATE:
        # CU's base gate lacks its fourth parameter, or has it and is no true U.
        return len(operation.params) == len(base.params) == GATE_SHAPES[base.name][1]
    return kind is Kind.MATRIX


def _resolve(operation: Any) -> Any:
    """Carries out an annotated operation's modifiers, or makes an instruction of something that can become
    one."""
    if not hasattr(operation, "modifiers"):
        return operation.to_instruction()
    result = operation.base_op
    if not hasattr(result, "control"):
        result = result.to_instruction()
    for modifier in operation.modifiers:
        name = type(modifier).__name__
        if name == "InverseModifier":
            result = result.inverse()
        elif name == "ControlModifier":
            result = _controlled(result, modifier.num_ctrl_qubits, modifier.ctrl_state)
        elif name == "PowerModifier":
            result = result.power(modifier.power)
        else:
            raise ConversionError(f"the modifier {name} of {operation.name!r} is not known")
    return result


def _controlled(operation: Any, count: int, state: int) -> Any:
    try:
        return operation.control(count, ctrl_state=state, annotated=False)
    except TypeError:  # Qiskit before 1.0, which knows nothing else
        return operation.control(count, ctrl_state=state)


def _complex_array(values: Any) -> pb.ComplexArray:
    array = np.ascontiguousarray(values, dtype="<c16")
    return pb.ComplexArray(shape=array.shape, data=array.tobytes())
