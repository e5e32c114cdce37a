"""What Qiskit's operations are, to the converter: which kind, what their parts are, and what they expand to.

Like the rest of the converter it imports nothing of Qiskit.
"""

from __future__ import annotations

import copy
import enum
from typing import Any

import numpy as np
from basicaer.client.circuit._gates import QISKIT_SHAPES as GATE_SHAPES
from basicaer.client.conversion._expressions import ConversionError
from basicaer.client.conversion._noise import is_noise
from basicaer.client.conversion._sets import is_set
from basicaer.v1 import circuit_pb2 as pb

__all__ = [
    "FLOW_NAMES",
    "GATE_SHAPES",
    "MAX_CONTROLS",
    "MAX_DEPTH",
    "Controlled",
    "Kind",
    "NestingTooDeepError",
    "OperationReader",
    "definition_of",
    "is_unread_gate_of_text",
]

FLOW_NAMES = frozenset({"if_else", "while_loop", "for_loop", "switch_case", "break_loop", "continue_loop"})

# Deeper nesting of definitions or blocks than this is a mistake, such as a definition that contains itself.
MAX_DEPTH = 100

# As many extra controls as the contract has bits for their state.
MAX_CONTROLS = 64


class Kind(enum.Enum):
    """How the converter treats an operation."""

    GATE = enum.auto()
    CONTROLLED = enum.auto()
    MATRIX = enum.auto()
    SIMPLE = enum.auto()
    DELAY = enum.auto()
    # Waits for a while that doesn't matter; one identity.
    WAIT = enum.auto()
    INITIALIZE = enum.auto()
    SAVE = enum.auto()
    STORE = enum.auto()
    FLOW = enum.auto()
    BOX = enum.auto()
    COMPOSITE = enum.auto()
    # Controls before something that is not one gate, a `Controlled`.
    CONTROLLED_COMPOSITE = enum.auto()
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
# What these mean is clear from the name, where there is no definition.
_PLAIN = ("measure", "reset", "barrier", "delay", "initialize")
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


class NestingTooDeepError(ConversionError):
    """Definitions or blocks are nested deeper than `limit` levels."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"gate definitions or blocks are nested more than {limit} levels deep")
        self.limit = limit


class OperationReader:
    """Reads Qiskit's operations for one conversion, and remembers what it has found."""

    def __init__(self) -> None:
        self._known: dict[tuple[type, str], Kind] = {}
        # By the operation's id; beside it is the operation itself, so that nothing else gets that id.
        self._resolved: dict[int, tuple[Any, Any]] = {}

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
        """Return what `c_if` gave to the operation, or None."""
        # Qiskit 1.3 and 1.4 warn where the public name is read, whether there is a condition or not.
        if hasattr(operation, "_condition"):
            return operation._condition
        return getattr(operation, "condition", None)

    def resolved(self, operation: Any) -> Any:
        """Return what a DEFERRED operation stands for."""
        found = self._resolved.get(id(operation))
        if found is None:
            found = self._resolved[id(operation)] = operation, _resolve(operation)
        return found[1]

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
        """Return the matrix of a gate that has one."""
        try:
            if operation.name == "multiplexer" and not hasattr(operation, "__array__"):
                return _complex_array(_multiplexed(operation.params))
            return _complex_array(operation.to_matrix())
        except Exception as error:  # whatever a gate of somebody else's raises
            raise ConversionError(
                f"the matrix of the gate {operation.name!r} can't be made: {error}"
            ) from error

    @staticmethod
    def initialize(operation: Any) -> pb.Initialize:
        """Return the state that Qiskit's `Initialize` prepares."""
        values = operation.params
        if all(isinstance(value, str) for value in values):
            return pb.Initialize(label="".join(values))
        if len(values) == 1:
            return pb.Initialize(basis_state=int(np.real(values[0])))
        return pb.Initialize(amplitudes=_complex_array(values))


def _multiplexed(matrices: Any) -> Any:
    """Return the matrix of a gate whose last qubits choose which matrix is for the others, as Aer has it."""
    size = len(matrices[0])
    whole = np.zeros((size * len(matrices),) * 2, dtype=np.complex128)
    for place, matrix in enumerate(matrices):
        whole[place * size : (place + 1) * size, place * size : (place + 1) * size] = matrix
    return whole


def _class_kind(operation_type: type, name: str) -> Kind | None:
    """Return the kind of one of Qiskit's own operations, or None."""
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
    """Return the kind of an operation that its class doesn't tell."""
    if is_unread_gate_of_text(operation):
        return Kind.COMPOSITE
    if type(operation).__name__ == "_U0Gate":
        # Of OpenQASM 2 texts; its definition has as many identities as its parameter says, a billion perhaps.
        return Kind.WAIT
    if operation.name.startswith("save_") and definition_of(operation) is None:
        return Kind.SAVE
    if is_noise(operation) or is_set(operation):
        return Kind.SIMPLE
    if operation.name == "multiplexer" and definition_of(operation) is None:
        return Kind.MATRIX
    if hasattr(operation, "modifiers") or (
        not hasattr(type(operation), "definition") and hasattr(operation, "to_instruction")
    ):
        return Kind.DEFERRED
    if _is_controlled(operation) and _is_plain_control(operation):
        return Kind.CONTROLLED
    if isinstance(operation, Controlled):
        return Kind.CONTROLLED_COMPOSITE
    if definition_of(operation) is not None:
        return Kind.COMPOSITE
    if hasattr(operation, "__array__"):
        return Kind.MATRIX
    # Somebody else's class, or none but Qiskit's `Instruction`.
    if operation.name in _PLAIN:
        return _CORE[operation.name]
    shape = GATE_SHAPES.get(operation.name)
    if shape == (operation.num_qubits, len(operation.params)):
        return Kind.GATE
    raise ConversionError(
        f"the service doesn't know {operation.name!r}, and it has no definition to expand; "
        "give the instruction a definition, or use a UnitaryGate"
    )


def definition_of(operation: Any) -> Any:
    """Return the operation's definition, or None. One that can't be made, for want of a number, isn't left
    half made.
    """
    try:
        return getattr(operation, "definition", None)
    except Exception:
        operation._definition = None
        raise


def is_unread_gate_of_text(operation: Any) -> bool:
    """Whether this is a use of a gate that an OpenQASM 2 text defines, and has made no definition so far.

    Qiskit's parser makes an object for each use, and each would make a definition of its own and keep it.
    What they share is the code of the gate's statement. One with a definition may have been given another.
    """
    return type(operation).__name__ == "_DefinedGate" and operation._definition is None


def _is_controlled(operation: Any) -> bool:
    return hasattr(operation, "base_gate") and hasattr(operation, "num_ctrl_qubits")


def _is_plain_control(operation: Any) -> bool:
    """Whether a controlled gate is its base gate with controls before it, and the service knows the base
    gate.
    """
    count, _, base = OperationReader.controls(operation)
    if count > MAX_CONTROLS or operation.num_qubits != count + base.num_qubits:
        return False
    kind = _class_kind(type(base), base.name)
    if kind is Kind.GATE:
        # CU's base gate lacks its fourth parameter, or has it and is no true U.
        alike = len(operation.params) == len(base.params) == GATE_SHAPES[base.name][1]
        return alike and not _is_redefined(operation)
    return kind is Kind.MATRIX


def _is_redefined(operation: Any) -> bool:
    """Whether a controlled gate's definition may be another than Qiskit gave it."""
    definition = getattr(operation, "_definition", None)
    if definition is None or hasattr(operation, "__array__"):
        return False  # It is made when it is asked for, or doesn't matter beside the matrix.
    if str(type(operation).__module__).startswith(_STANDARD_MODULE):
        own = copy.copy(operation)
        own._definition = None
        return not _are_alike(definition, own.definition)
    # Those that `Gate.control` makes.
    if [register.name for register in definition.qregs] == ["control", "target"]:
        return False
    count = operation.num_ctrl_qubits
    own = _controlled(operation.base_gate, count, (1 << count) - 1)
    return not _are_alike(definition, own._definition)


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two circuits have the same gates, by name, on the same qubits."""

    def parameter(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else value

    def gates(circuit: Any) -> list[Any]:
        numbers = {qubit: number for number, qubit in enumerate(circuit.qubits)}
        return [
            (
                gate.operation.name,
                [parameter(value) for value in gate.operation.params],
                [numbers[qubit] for qubit in gate.qubits],
            )
            for gate in circuit.data
        ]

    return bool(one.global_phase == other.global_phase) and gates(one) == gates(other)


class Controlled:
    """Controls before an operation, in the terms of Qiskit's `ControlledGate`, but without a definition.

    Qiskit's own `control` goes by names: it takes any gate called "h" for the Hadamard gate.
    """

    def __init__(self, base: Any, count: int, state: int) -> None:
        self.name = "c" * count + base.name
        self.base_gate = base
        self.num_ctrl_qubits = count
        self.ctrl_state = state
        self.num_qubits = count + base.num_qubits
        self.params = getattr(base, "params", [])


def _resolve(operation: Any) -> Any:
    """Carries out an annotated operation's modifiers, or makes an instruction of something that can become
    one.
    """
    if not hasattr(operation, "modifiers"):
        return operation.to_instruction()
    result, modifiers = operation.base_op, list(operation.modifiers)
    while hasattr(result, "modifiers"):
        modifiers = [*result.modifiers, *modifiers]
        result = result.base_op
    if not hasattr(result, "control"):
        result = result.to_instruction()
    count, state = 0, 0
    for modifier in modifiers:
        name = type(modifier).__name__
        # An inverse or a power of a controlled gate is the controlled inverse or power.
        if name == "InverseModifier":
            result = result.inverse()
        elif name == "PowerModifier":
            result = result.power(modifier.power)
        elif name == "ControlModifier":
            # New controls stand before the others.
            state = state << modifier.num_ctrl_qubits | modifier.ctrl_state
            count += modifier.num_ctrl_qubits
        else:
            raise ConversionError(f"the modifier {name} of {operation.name!r} is not known")
    if count > MAX_CONTROLS:
        return _controlled(result, count, state)
    return Controlled(result, count, state) if count else result


def _controlled(operation: Any, count: int, state: int) -> Any:
    """By Qiskit, which makes do with fewer controls in each of many gates."""
    try:
        return operation.control(count, ctrl_state=state, annotated=False)
    except TypeError:  # Qiskit before 1.0, which knows nothing else
        return operation.control(count, ctrl_state=state)


def _complex_array(values: Any) -> pb.ComplexArray:
    array = np.ascontiguousarray(values, dtype="<c16")
    return pb.ComplexArray(shape=array.shape, data=array.tobytes())
