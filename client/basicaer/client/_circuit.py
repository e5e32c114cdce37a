"""A light builder of circuits: Qiskit's methods, checked at once, over the wire's packed columns."""

from __future__ import annotations

import difflib
import itertools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client._gate_methods import Parameter, Qubits
from basicaer.client._gates import GATE_SHAPES, OPEN_SHAPES
from basicaer.client._inputs import Input, Linear, constants_and_terms
from basicaer.client._options import complex_array, struct_from_dict
from basicaer.client._saves import Saves
from basicaer.client._values import Expression, Register, Variable, expression_from
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Circuit"]

_numbers = itertools.count()
_KINDS = {
    "bit": pb.CLASSICAL_KIND_BIT,
    "bool": pb.CLASSICAL_KIND_BOOL,
    "uint": pb.CLASSICAL_KIND_UINT,
    "int": pb.CLASSICAL_KIND_INT,
    "float": pb.CLASSICAL_KIND_FLOAT,
    "angle": pb.CLASSICAL_KIND_ANGLE,
}
# Operations that are no gates: qubits, classical bits and parameters; None where they vary.
_OTHERS: dict[str, tuple[int | None, int, int]] = {
    "measure": (1, 1, 0),
    "reset": (1, 0, 0),
    "barrier": (None, 0, 0),
    "delay": (None, 0, 1),
    "unitary": (None, 0, 0),
    "initialize": (None, 0, 0),
}


class Circuit(Saves):
    """A quantum circuit with classical control.

    Qubits and classical bits are numbered from 0; qubit 0 is the least significant bit of a state's index.
    Methods change the circuit and return it, so that they can be chained; they raise CircuitError at once for
    a qubit that doesn't exist or comes twice, and for a parameter that isn't a finite number.

        circuit = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    """

    def __init__(
        self,
        num_qubits: int = 0,
        num_clbits: int = 0,
        *,
        name: str | None = None,
        global_phase: float = 0.0,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.name = name if name is not None else f"circuit-{next(_numbers)}"
        self.global_phase = _finite("global_phase", global_phase)
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.num_qubits = 0
        self.num_clbits = 0
        self.quantum_registers: list[Register] = []
        self.classical_registers: list[Register] = []
        self.variables: list[Variable] = []
        self._types: list[pb.ClassicalType] = []
        self._inputs: set[int] = set()
        self._known: dict[tuple[Any, ...], int] = {}
        if num_qubits:
            self.add_quantum_register("q", num_qubits)
        if num_clbits:
            self.add_classical_register("c", num_clbits)

    @classmethod
    def from_gates(
        cls,
        num_qubits: int,
        gates: Iterable[Sequence[Any]],
        num_clbits: int = 0,
        *,
        name: str | None = None,
    ) -> Self:
        """Returns the circuit of some gates, each (name, qubits[, parameters[, clbits]])."""
        circuit = cls(num_qubits, num_clbits, name=name)
        for gate in gates:
            circuit.append(*gate)
        return circuit

    def add_quantum_register(self, name: str, size: int) -> Register:
        """Adds `size` qubits under a name, and returns their register."""
        register = self._register(name, size, self.quantum_registers, self.num_qubits, classical=False)
        self.num_qubits += len(register)
        return register

    def add_classical_register(self, name: str, size: int) -> Register:
        """Adds `size` classical bits under a name, and returns their register."""
        register = self._register(name, size, self.classical_registers, self.num_clbits, classical=True)
        self.num_clbits += len(register)
        return register

    def add_variable(self, name: str, kind: str = "uint", width: int = 0) -> Variable:
        """Adds a variable, zero at first: of kind bit, bool, uint, int, float or angle, of `width` bits."""
        if kind not in _KINDS:
            raise CircuitError(f"{kind!r} is no kind of variable; the kinds are {', '.join(_KINDS)}.")
        if any(variable.name == name for variable in self.variables):
            raise CircuitError(f"There is a variable {name!r} already.")
        variable = Variable(name, len(self.variables))
        self.variables.append(variable)
        self._types.append(pb.ClassicalType(kind=_KINDS[kind], width=width))
        return variable

    def add_input(self, name: str, kind: str = "float", width: int = 0) -> Variable:
        """Adds a variable whose value comes with each run, see `Program`; for kinds see `add_variable`.

        One of kind float can stand in a gate's parameter: `circuit.rz(2 * theta + 0.5, 0)`.
        """
        variable = self.add_variable(name, kind, width)
        self._inputs.add(variable.index)
        if kind == "float":
            variable = self.variables[-1] = Input(name, variable.index)
        return variable

    def bit(self, clbit: int) -> Expression:
        """Returns a classical bit's value, for expressions."""
        return Expression(pb.Expression(clbit=self._bit("classical bit", clbit, self.num_clbits)))

    def append(
        self,
        name: str,
        qubits: Sequence[int],
        parameters: Sequence[Parameter] = (),
        clbits: Sequence[int] = (),
        *,
        num_controls: int = 0,
        control_state: int | None = None,
        label: str = "",
    ) -> Self:
        """Appends one instruction by name.

        The first `num_controls` qubits control a gate that has fewer; it acts where they are `control_state`,
        whose bit k belongs to control k (all ones when None).
        """
        qubits = self._bits("qubit", qubits, self.num_qubits, name)
        clbits = self._bits("classical bit", clbits, self.num_clbits, name)
        key = (name, len(qubits), len(clbits), len(parameters), num_controls, control_state, label)
        terms: list[tuple[int, int, float]] = []
        if any(isinstance(parameter, Linear) for parameter in parameters):
            parameters, terms = constants_and_terms(parameters)
        if any(isinstance(parameter, Expression) for parameter in parameters):
            operation = _operation(*key)
            operation.parameter_expressions.extend(expression_from(value).message for value in parameters)
            self._emit(operation, qubits, clbits)
            return self
        numbers = [_finite(f"A parameter of {name}", parameter) for parameter in parameters]
        known = self._known.get(key)
        if known is None:
            self._known[key] = self._emit(_operation(*key), qubits, clbits, numbers)
        else:
            self._emit(known, qubits, clbits, numbers)
        if terms:
            columns = self._blocks[-1]
            columns.add_terms(len(columns.parameters) - len(numbers), terms)
        return self

    def measure(self, qubit: Qubits, clbit: Qubits) -> Self:
        """Measures a qubit into a classical bit, or each of several into one of as many."""
        for one, other in self._steps("measure", (qubit, clbit)):
            self.append("measure", (one,), (), (other,))
        return self

    def measure_all(self, add_bits: bool = True) -> Self:
        """Measures every qubit, after a barrier: into a new register "meas", or into the bits there are."""
        if add_bits:
            taken = {register.name for register in self.classical_registers}
            names = itertools.chain(["meas"], (f"meas{number}" for number in itertools.count()))
            name = next(name for name in names if name not in taken)
            clbits: Sequence[int] = self.add_classical_register(name, self.num_qubits)
        elif self.num_clbits < self.num_qubits:
            raise CircuitError(
                f"{self.num_qubits} qubits can't be measured into {self.num_clbits} classical bits."
            )
        else:
            clbits = range(self.num_qubits)
        return self.barrier().measure(range(self.num_qubits), clbits)

    def reset(self, qubit: Qubits) -> Self:
        """Puts a qubit, or each of several, into 0."""
        return self._each("reset", (), qubit)

    def barrier(self, *qubits: Qubits) -> Self:
        """Marks a border, across all qubits when none is given. It has no effect on the state."""
        flat = [one for some in qubits for one in _sequence(some)] if qubits else list(range(self.num_qubits))
        return self.append("barrier", flat)

    def delay(self, duration: float, qubit: Qubits, unit: str = "dt") -> Self:
        """Lets time pass, which has no effect on the state."""
        for (one,) in self._steps("delay", (qubit,)):
            operation = pb.Operation(name="delay", num_qubits=1, num_parameters=1, unit=unit)
            self._emit(
                operation, [self._bit("qubit", one, self.num_qubits)], (), [_finite("delay", duration)]
            )
        return self

    def unitary(self, matrix: npt.ArrayLike, qubits: Qubits, label: str = "") -> Self:
        """Applies a unitary matrix of 2^k by 2^k to k qubits, the least significant one first."""
        chosen = self._bits("qubit", _sequence(qubits), self.num_qubits, "unitary")
        values = _amplitudes("The matrix", matrix, (2 ** len(chosen),) * 2)
        operation = pb.Operation(name="unitary", num_qubits=len(chosen), matrix=values, label=label)
        self._emit(operation, chosen)
        return self

    def initialize(self, state: npt.ArrayLike | str | int, qubits: Qubits | None = None) -> Self:
        """Resets qubits (all when None) and prepares a state of them.

        It is 2^k amplitudes, a label with one of 01+-rl for each qubit (the last one first), or the index of
        a basis state.
        """
        chosen = self._chosen("initialize", qubits)
        message = pb.Initialize()
        if isinstance(state, str):
            if len(state) != len(chosen) or set(state) - set("01+-rl"):
                raise CircuitError(
                    f"The label {state!r} needs one of 0 1 + - r l for each of {len(chosen)} qubits."
                )
            message.label = state
        elif isinstance(state, int):
            if not 0 <= state < 2 ** min(len(chosen), 64):
                raise CircuitError(f"{len(chosen)} qubits have no basis state {state}.")
            message.basis_state = state
        else:
            message.amplitudes.CopyFrom(_amplitudes("The state", state, (2 ** len(chosen),)))
        operation = pb.Operation(name="initialize", num_qubits=len(chosen), initialize=message)
        self._emit(operation, chosen)
        return self

    def store(self, target: int | Register | Variable, value: Any) -> Self:
        """Writes a value to a classical bit, a register or a variable, while the circuit runs."""
        message = pb.Store(value=expression_from(value).message)
        match target:
            case Variable():
                message.variable = target.index
            case Register():
                message.register = target.position
            case _:
                message.clbit = self._bit("classical bit", target, self.num_clbits)
        self._emit(pb.Operation(name="store", store=message))
        return self

    def to_message(self) -> pb.Circuit:
        """Returns the circuit for the wire, a copy.

        Raises: CircuitError inside of a `with` of control flow, or when the metadata can't be sent.
        """
        if len(self._blocks) > 1:
            raise CircuitError("A block of control flow is still open.")
        return pb.Circuit(
            name=self.name,
            metadata=struct_from_dict("circuit's metadata", self.metadata) if self.metadata else None,
            global_phase=_finite("global_phase", self.global_phase),
            num_qubits=self.num_qubits,
            num_clbits=self.num_clbits,
            quantum_registers=_registers(self.quantum_registers),
            classical_registers=_registers(self.classical_registers),
            variables=[
                pb.Variable(name=variable.name, type=kind, input=variable.index in self._inputs)
                for variable, kind in zip(self.variables, self._types, strict=True)
            ],
            operations=self._operations,
            body=self._blocks[0].to_message(),
        )

    def __len__(self) -> int:
        """Returns the number of instructions outside of blocks."""
        return len(self._blocks[0].operations)

    def __repr__(self) -> str:
        size = f"{self.num_qubits} qubits, {self.num_clbits} clbits, {len(self)} instructions"
        return f"<Circuit {self.name!r}: {size}>"

    def _chosen(self, name: str, qubits: Qubits | None) -> list[int]:
        wanted = range(self.num_qubits) if qubits is None else _sequence(qubits)
        return self._bits("qubit", wanted, self.num_qubits, name)

    def _each(self, name: str, parameters: Sequence[Parameter], *operands: Qubits) -> Self:
        for qubits in self._steps(name, operands):
            self.append(name, qubits, parameters)
        return self

    def _steps(self, name: str, operands: Sequence[Qubits]) -> Iterable[tuple[int, ...]]:
        """Returns the operands of each of the instructions that one call stands for."""
        if all(isinstance(operand, int) for operand in operands):
            return (operands,)  # type: ignore[return-value]  # each is an int
        columns = [_sequence(operand) for operand in operands]
        length = max(map(len, columns))
        if any(len(column) not in (1, length) for column in columns):
            raise CircuitError(f"{name} got {' and '.join(str(len(column)) for column in columns)} operands.")
        return zip(*(column * length if len(column) < length else column for column in columns), strict=True)

    def _register(
        self, name: str, size: int, others: list[Register], start: int, *, classical: bool
    ) -> Register:
        count = _index("The size of a register", size)
        if count < 0:
            raise CircuitError(f"Register {name!r} can't have {size} bits.")
        if any(register.name == name for register in others):
            raise CircuitError(f"There is a register {name!r} already.")
        register = Register(name, range(start, start + count), len(others), classical=classical)
        others.append(register)
        return register

    def _bit(self, kind: str, bit: Any, count: int) -> int:
        index = _index(f"A {kind}", bit)
        if not 0 <= index < count:
            raise CircuitError(f"There is no {kind} {index}: the circuit has {count}, numbered from 0.")
        return index

    def _bits(self, kind: str, bits: Sequence[Any], count: int, name: str) -> list[int]:
        """Returns bits as integers that are in range and distinct."""
        chosen = [self._bit(kind, bit, count) for bit in bits]
        if len(chosen) > 1 and len(set(chosen)) < len(chosen):
            raise CircuitError(f"{name} on {kind}s {chosen} uses one of them twice.")
        return chosen


def _operation(
    name: str, qubits: int, clbits: int, parameters: int, controls: int, control_state: int | None, label: str
) -> pb.Operation:
    """Returns an entry for the table, if the operation exists and takes so many operands."""
    base = qubits - controls
    if not 0 <= controls <= qubits or (control_state is not None and not 0 <= control_state < 2**controls):
        raise CircuitError(
            f"{name} on {qubits} qubits can't have {controls} controls in state {control_state}."
        )
    if name in _OTHERS:
        if controls:
            raise CircuitError(f"{name} can't be controlled.")
        shape = _OTHERS[name]
    elif name in OPEN_SHAPES:
        least, takes = OPEN_SHAPES[name]
        shape = (max(least, base), 0, takes)
    elif name in GATE_SHAPES:
        count, takes = GATE_SHAPES[name]
        shape = (count, 0, takes)
    else:
        near = difflib.get_close_matches(name, [*GATE_SHAPES, *OPEN_SHAPES, *_OTHERS], 3)
        raise CircuitError(f"There is no gate {name!r}{'; near it are ' + ', '.join(near) if near else ''}.")
    for got, takes_, what in zip(
        (base, clbits, parameters), shape, ("qubits", "classical bits", "parameters"), strict=True
    ):
        if takes_ is not None and got != takes_:
            raise CircuitError(f"{name} takes {takes_} {what}, not {got}.")
    return pb.Operation(
        name=name,
        num_qubits=qubits,
        num_clbits=clbits,
        num_parameters=parameters,
        num_controls=controls,
        control_state=control_state,
        label=label,
    )


def _registers(registers: Iterable[Register]) -> list[pb.Register]:
    return [pb.Register(name=register.name, size=len(register)) for register in registers]


def _sequence(qubits: Qubits) -> list[int]:
    return list(qubits) if isinstance(qubits, Iterable) else [qubits]


def _index(what: str, value: Any) -> int:
    if isinstance(value, bool):
        raise CircuitError(f"{what} must be an integer, not {value!r}.")
    try:
        return operator.index(value)
    except TypeError:
        raise CircuitError(f"{what} must be an integer, not {value!r}.") from None


def _finite(what: str, value: Any) -> float:
    """Returns a real, finite number."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise CircuitError(f"{what} must be a number, not {value!r}; bind a free parameter first.") from None
    if not math.isfinite(number):
        raise CircuitError(f"{what} must be finite, not {number}.")
    return number


def _amplitudes(what: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> pb.ComplexArray:
    """Returns finite complex numbers of a shape."""
    try:
        message = complex_array(values, len(shape))
    except ValueError as error:
        raise CircuitError(f"{what} {error}.") from None
    if tuple(message.shape) != shape:
        raise CircuitError(f"{what} has the shape {tuple(message.shape)} instead of {shape}.")
    if not np.isfinite(np.frombuffer(message.data)).all():
        raise CircuitError(f"{what} has an element that isn't finite.")
    return message
