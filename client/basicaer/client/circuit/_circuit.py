"""A light builder of circuits: Qiskit's methods, checked at once, over the wire's packed columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client._structures import struct_from_dict
from basicaer.client._texts import Encoded
from basicaer.client.circuit._checks import amplitudes_from, finite, index_from, operation_of, sequence
from basicaer.client.circuit._gate_methods import Parameter, Qubits
from basicaer.client.circuit._inputs import Input, Linear, constants_and_terms
from basicaer.client.circuit._noise import Noise
from basicaer.client.circuit._values import Expression, Register, Variable, expression_from
from basicaer.client.drawing import draw
from basicaer.client.openqasm3 import dumps
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


class Circuit(Noise):
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
        self.global_phase = finite("global_phase", global_phase)
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
        """Return the circuit of some gates, each (name, qubits[, parameters[, clbits]])."""
        circuit = cls(num_qubits, num_clbits, name=name)
        for gate in gates:
            circuit.append(*gate)
        return circuit

    def add_quantum_register(self, name: str, size: int) -> Register:
        """Add `size` qubits under a name, and return their register."""
        register = self._register(name, size, self.quantum_registers, self.num_qubits, classical=False)
        self.num_qubits += len(register)
        return register

    def add_classical_register(self, name: str, size: int) -> Register:
        """Add `size` classical bits under a name, and return their register."""
        register = self._register(name, size, self.classical_registers, self.num_clbits, classical=True)
        self.num_clbits += len(register)
        return register

    def add_variable(self, name: str, kind: str = "uint", width: int = 0) -> Variable:
        """Add a variable, zero at first: of kind bit, bool, uint, int, float or angle, of `width` bits."""
        if kind not in _KINDS:
            raise CircuitError(f"{kind!r} is no kind of variable; the kinds are {', '.join(_KINDS)}.")
        if any(variable.name == name for variable in self.variables):
            raise CircuitError(f"There is a variable {name!r} already.")
        variable = Variable(name, len(self.variables))
        self.variables.append(variable)
        self._types.append(pb.ClassicalType(kind=_KINDS[kind], width=width))
        return variable

    def add_input(self, name: str, kind: str = "float", width: int = 0) -> Variable:
        """Add a variable whose value comes with each run, see `Program`; for kinds see `add_variable`.

        One of kind float can stand in a gate's parameter: `circuit.rz(2 * theta + 0.5, 0)`.
        """
        variable = self.add_variable(name, kind, width)
        self._inputs.add(variable.index)
        if kind == "float":
            variable = self.variables[-1] = Input(name, variable.index)
        return variable

    def bit(self, clbit: int) -> Expression:
        """Return a classical bit's value, for expressions."""
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
        """Append one instruction by name.

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
            operation = operation_of(*key)
            operation.parameter_expressions.extend(expression_from(value).message for value in parameters)
            self._emit(operation, qubits, clbits)
            return self
        numbers = [finite(f"A parameter of {name}", parameter) for parameter in parameters]
        known = self._known.get(key)
        if known is None:
            self._known[key] = self._emit(operation_of(*key), qubits, clbits, numbers)
        else:
            self._emit(known, qubits, clbits, numbers)
        if terms:
            columns = self._blocks[-1]
            columns.add_terms(len(columns.parameters) - len(numbers), terms)
        return self

    def measure(self, qubit: Qubits, clbit: Qubits) -> Self:
        """Measure a qubit into a classical bit, or each of several into one of as many."""
        for one, other in self._steps("measure", (qubit, clbit)):
            self.append("measure", (one,), (), (other,))
        return self

    def measure_all(self, add_bits: bool = True) -> Self:
        """Measure every qubit, after a barrier: into a new register "meas", or into the bits there are."""
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
        """Put a qubit, or each of several, into 0."""
        return self._each("reset", (), qubit)

    def barrier(self, *qubits: Qubits) -> Self:
        """Mark a border, across all qubits when none is given. It has no effect on the state."""
        flat = [one for some in qubits for one in sequence(some)] if qubits else list(range(self.num_qubits))
        return self.append("barrier", flat)

    @Encoded(CircuitError)
    def delay(self, duration: float, qubit: Qubits, unit: str = "dt") -> Self:
        """Let time pass, which has no effect on the state but by the relaxation of a noise model."""
        for (one,) in self._steps("delay", (qubit,)):
            operation = pb.Operation(name="delay", num_qubits=1, num_parameters=1, unit=unit)
            self._emit(operation, [self._bit("qubit", one, self.num_qubits)], (), [finite("delay", duration)])
        return self

    @Encoded(CircuitError)
    def unitary(self, matrix: npt.ArrayLike, qubits: Qubits, label: str = "") -> Self:
        """Apply a unitary matrix of 2^k by 2^k to k qubits, the least significant one first."""
        chosen = self._bits("qubit", sequence(qubits), self.num_qubits, "unitary")
        values = amplitudes_from("The matrix", matrix, (2 ** len(chosen),) * 2)
        operation = pb.Operation(name="unitary", num_qubits=len(chosen), matrix=values, label=label)
        self._emit(operation, chosen)
        return self

    def initialize(self, state: npt.ArrayLike | str | int, qubits: Qubits | None = None) -> Self:
        """Reset qubits (all when None) and prepare a state of them.

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
            message.amplitudes.CopyFrom(amplitudes_from("The state", state, (2 ** len(chosen),)))
        operation = pb.Operation(name="initialize", num_qubits=len(chosen), initialize=message)
        self._emit(operation, chosen)
        return self

    def store(self, target: int | Register | Variable, value: Any) -> Self:
        """Write a value to a classical bit, a register or a variable, while the circuit runs."""
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

    @Encoded(CircuitError)
    def to_message(self) -> pb.Circuit:
        """Return the circuit for the wire, a copy.

        Raises:
            CircuitError: Inside of a `with` of control flow.
        """
        if len(self._blocks) > 1:
            raise CircuitError("A block of control flow is still open.")
        return pb.Circuit(
            name=self.name,
            metadata=struct_from_dict(self.metadata) if self.metadata else None,
            global_phase=finite("global_phase", self.global_phase),
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

    def to_openqasm3(self) -> str:
        """Return the circuit as OpenQASM 3 text, as `basicaer.client.openqasm3.dumps` does.

        Raises:
            CircuitError: The language can't say a part of it, or a `with` of control flow is open.
        """
        return dumps(self.to_message())

    def draw(self, *, width: int | None = 100, most: int = 1000) -> str:
        """Return a picture of the circuit as text, as `basicaer.client.drawing.draw` does.

        Raises:
            CircuitError: A `with` of control flow is open.
            ValueError: `width` leaves no room, or `most` is negative.
        """
        return draw(self.to_message(), width=width, most=most)

    def __len__(self) -> int:
        """Return the number of instructions outside of blocks."""
        return len(self._blocks[0].operations)

    def __repr__(self) -> str:
        size = f"{self.num_qubits} qubits, {self.num_clbits} clbits, {len(self)} instructions"
        return f"<Circuit {self.name!r}: {size}>"

    def _chosen_clbits(self, name: str, clbits: Sequence[int]) -> list[int]:
        return self._bits("classical bit", clbits, self.num_clbits, name)

    def _chosen(self, name: str, qubits: Qubits | None) -> list[int]:
        wanted = range(self.num_qubits) if qubits is None else sequence(qubits)
        return self._bits("qubit", wanted, self.num_qubits, name)

    def _each(self, name: str, parameters: Sequence[Parameter], *operands: Qubits) -> Self:
        for qubits in self._steps(name, operands):
            self.append(name, qubits, parameters)
        return self

    def _steps(self, name: str, operands: Sequence[Qubits]) -> Iterable[tuple[int, ...]]:
        """Return the operands of each of the instructions that one call stands for."""
        single = tuple([operand for operand in operands if isinstance(operand, int)])
        if len(single) == len(operands):
            return (single,)
        columns = [sequence(operand) for operand in operands]
        length = max(map(len, columns))
        if any(len(column) not in (1, length) for column in columns):
            raise CircuitError(f"{name} got {' and '.join(str(len(column)) for column in columns)} operands.")
        return zip(*(column * length if len(column) < length else column for column in columns), strict=True)

    def _register(
        self, name: str, size: int, others: list[Register], start: int, *, classical: bool
    ) -> Register:
        count = index_from("The size of a register", size)
        if count < 0:
            raise CircuitError(f"Register {name!r} can't have {size} bits.")
        if any(register.name == name for register in others):
            raise CircuitError(f"There is a register {name!r} already.")
        register = Register(name, range(start, start + count), len(others), classical=classical)
        others.append(register)
        return register

    def _bit(self, kind: str, bit: Any, count: int) -> int:
        index = index_from(f"A {kind}", bit)
        if not 0 <= index < count:
            raise CircuitError(f"There is no {kind} {index}: the circuit has {count}, numbered from 0.")
        return index

    def _bits(self, kind: str, bits: Sequence[Any], count: int, name: str) -> list[int]:
        """Return bits as integers that are in range and distinct."""
        chosen = [self._bit(kind, bit, count) for bit in bits]
        if len(chosen) > 1 and len(set(chosen)) < len(chosen):
            raise CircuitError(f"{name} on {kind}s {chosen} uses one of them twice.")
        return chosen


def _registers(registers: Iterable[Register]) -> list[pb.Register]:
    return [pb.Register(name=register.name, size=len(register)) for register in registers]
