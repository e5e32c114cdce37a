"""The circuit: a table of distinct operations, packed columns of instructions, and a small builder."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from basicaer.simulator._errors import CircuitError
from basicaer.simulator.circuit._expressions import Expression, Literal
from basicaer.simulator.circuit._operations import Block, Operation, Register, Variable

Instruction: TypeAlias = Sequence[Any]
"""(name, qubits[, parameters[, clbits[, fields]]]); `fields` is a dict of further fields of `Operation`."""

_NO_OPERANDS: tuple[Any, ...] = ((), (), (), MappingProxyType({}))
_LARGEST_INDEX = 2**32 - 1
_FIELDS = (
    "num_qubits",
    "num_clbits",
    "name",
    "global_phase",
    "metadata",
    "quantum_registers",
    "classical_registers",
    "variables",
    "operations",
    "body",
)
# Matrices up to this size join an equal one in the table of operations.
_COMPARED_BYTES = 1 << 14


class Circuit:
    """A quantum circuit with classical control.

    Qubits and classical bits are numbered from 0 through the whole circuit, nested blocks included. Qubit 0
    is the least significant bit of a state's index, classical bit 0 that of an outcome.

    A circuit is made from finished columns (`operations` and `body`), by `from_gates`, or by `append`;
    nothing is checked until `validate`, which every function that runs a circuit calls first.
    """

    __slots__ = (
        "_appended",
        "_body",
        "_known",
        "_table",
        "classical_registers",
        "global_phase",
        "lowered",
        "metadata",
        "name",
        "num_clbits",
        "num_qubits",
        "quantum_registers",
        "variables",
    )

    def __init__(
        self,
        num_qubits: int,
        num_clbits: int = 0,
        *,
        name: str = "",
        global_phase: float = 0.0,
        metadata: Mapping[str, Any] | None = None,
        quantum_registers: Sequence[Register] = (),
        classical_registers: Sequence[Register] = (),
        variables: Sequence[Variable] = (),
        operations: Iterable[Operation] = (),
        body: Block | None = None,
    ) -> None:
        self.num_qubits = num_qubits
        self.num_clbits = num_clbits
        self.name = name
        self.global_phase = global_phase
        self.metadata = metadata
        self.quantum_registers = tuple(quantum_registers)
        self.classical_registers = tuple(classical_registers)
        self.variables = tuple(variables)
        self._table = list(operations)
        self._known: dict[tuple[object, ...], int] = {}
        self._body = body if body is not None else Block()
        self._appended = _Columns()
        self.lowered: tuple[Block, Any] | None = None
        """The operations as `statevector/_quick.py` wants them, and the body that they were made for."""

    @classmethod
    def from_gates(
        cls, num_qubits: int, gates: Iterable[Instruction], num_clbits: int = 0, **fields: Any
    ) -> Circuit:
        """Return a circuit of `gates`, each `(name, qubits[, parameters[, clbits[, fields]]])`.

        Other keyword arguments go to `Circuit`. Raises `CircuitError` as `append` does.

        >>> circuit = Circuit.from_gates(2, [("h", [0]), ("cx", [0, 1])])
        """
        circuit = cls(num_qubits, num_clbits, **fields)
        for gate in gates:
            circuit._add(circuit._appended, gate)
        return circuit

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The table of distinct operations."""
        return tuple(self._table)

    @property
    def body(self) -> Block:
        """The instructions, in order."""
        if self._appended.operations:
            self._body = self._appended.after(self._body)
            self._appended = _Columns()
        return self._body

    @property
    def has_measurements(self) -> bool:
        """Whether a block of the circuit measures, so that counts mean something."""
        measuring = {index for index, operation in enumerate(self._table) if operation.name == "measure"}
        blocks = [self.body, *(block for operation in self._table for _, block in operation.blocks())]
        return any(not measuring.isdisjoint(np.unique(block.operations).tolist()) for block in blocks)

    def __reduce__(self) -> tuple[Any, ...]:
        """By the constructor: what tells operations apart here has no meaning in another process."""
        return _circuit, ({name: getattr(self, name) for name in _FIELDS},)

    def replaced(self, **fields: Any) -> Circuit:
        """Return a circuit like this one but for `fields`, keyword arguments of `Circuit`; what is appended
        to one isn't seen in the other.
        """
        kept = {name: getattr(self, name) for name in _FIELDS if name not in fields}
        return Circuit(**kept, **fields)

    def __len__(self) -> int:
        return len(self._body) + len(self._appended.operations)

    def __repr__(self) -> str:
        sizes = f"{self.num_qubits} qubits, {self.num_clbits} clbits, {len(self)} instructions"
        return f"<Circuit {self.name!r}: {sizes}>"

    def append(
        self,
        name: str,
        qubits: Sequence[int] = (),
        params: Sequence[float | Expression] = (),
        clbits: Sequence[int] = (),
        **fields: Any,
    ) -> Circuit:
        """Append one instruction, and return the circuit.

        `fields` are further fields of `Operation`, such as `num_controls`, `condition` or `matrix`. When one
        of `params` is an expression, all become `parameter_expressions`.

        Raises `CircuitError` for an index or parameter that no column can hold, such as an unbound parameter.
        """
        self._add(self._appended, (name, qubits, params, clbits, fields))
        return self

    def block(self, instructions: Iterable[Instruction]) -> Block:
        """Return a block of `instructions` for control flow; their operations join this circuit's table."""
        columns = _Columns()
        for instruction in instructions:
            self._add(columns, instruction)
        return columns.after(Block())

    def _add(self, columns: _Columns, instruction: Instruction) -> None:
        filled = [*instruction, *_NO_OPERANDS[len(instruction) - 1 :]]
        name, qubits, params, clbits, fields = filled
        number = len(columns.operations)
        if any(type(value) is not float and isinstance(value, Expression) for value in params):
            fields = {**fields, "parameter_expressions": tuple(_as_expression(value) for value in params)}
            params = ()
        key = (name, len(qubits), len(clbits), len(params))
        if fields:
            key = (*key, *(part for item in sorted(fields.items()) for part in (item[0], _identity(item[1]))))
        index = self._known.get(key)
        if index is None:
            index = len(self._table)
            self._table.append(Operation(name, len(qubits), len(clbits), len(params), **fields))
            self._known[key] = index
        lengths = (len(columns.qubits), len(columns.clbits), len(columns.parameters))
        try:
            columns.qubits.extend(qubits)
            columns.clbits.extend(clbits)
            columns.parameters.extend(params)
        except (TypeError, OverflowError, ValueError):
            del columns.qubits[lengths[0] :], columns.clbits[lengths[1] :], columns.parameters[lengths[2] :]
            raise _bad_operand(name, qubits, params, clbits, number) from None
        columns.operations.append(index)


def _circuit(fields: Mapping[str, Any]) -> Circuit:
    return Circuit(**fields)


class _Columns:
    """The columns of a block that still grows."""

    __slots__ = ("clbits", "operations", "parameters", "qubits")

    def __init__(self) -> None:
        self.operations = array("I")
        self.qubits = array("I")
        self.clbits = array("I")
        self.parameters = array("d")

    def after(self, block: Block) -> Block:
        """Return a block of `block`'s instructions, then these."""
        return Block(
            operations=np.concatenate([block.operations, np.asarray(self.operations, dtype=np.uint32)]),
            qubits=np.concatenate([block.qubits, np.asarray(self.qubits, dtype=np.uint32)]),
            clbits=np.concatenate([block.clbits, np.asarray(self.clbits, dtype=np.uint32)]),
            parameters=np.concatenate([block.parameters, np.asarray(self.parameters, dtype=np.float64)]),
            term_parameters=block.term_parameters,
            term_variables=block.term_variables,
            term_factors=block.term_factors,
        )


def _identity(value: object) -> object:
    """Return what tells two fields of operations apart: the value of plain ones, the object otherwise.

    The table keeps the objects alive, so that no id is used twice; but of an array that can be written to, it
    has a copy.
    """
    if isinstance(value, int | str):
        return value
    if isinstance(value, np.ndarray) and value.flags.writeable:
        return (
            (value.dtype.str, value.shape, value.tobytes()) if value.nbytes <= _COMPARED_BYTES else object()
        )
    return id(value)


def _as_expression(value: float | Expression) -> Expression:
    return value if isinstance(value, Expression) else Literal(float(value))


def _bad_operand(
    name: str, qubits: Sequence[object], params: Sequence[object], clbits: Sequence[object], number: int
) -> CircuitError:
    """Return the error for operands that don't fit the columns, with the first of them named."""
    path = ("body", number)
    for word, indices in (("qubit", qubits), ("clbit", clbits)):
        for index in indices:
            if not isinstance(index, int | np.integer) or not 0 <= int(index) <= _LARGEST_INDEX:
                return CircuitError(f"{name} has {word} {index!r}, which is not an index from 0", path)
    for value in params:
        if not isinstance(value, Real):
            return CircuitError(
                f"{name} has the parameter {value!r}, which is not a real number; bind every parameter first",
                path,
            )
    return CircuitError(f"{name} has an operand that is not a number", path)
