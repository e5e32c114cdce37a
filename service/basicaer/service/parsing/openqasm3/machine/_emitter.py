"""The circuit that a program becomes: its table of operations, its blocks, its classical memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from basicaer.service.parsing._faults import too_large
from basicaer.service.parsing._limits import MAX_BITS
from basicaer.service.parsing._patience import TakesLongError
from basicaer.service.parsing.openqasm3.values._types import Type, contract_type, output_type
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["HIDDEN", "Columns", "Emitter", "Place"]

HIDDEN = "."
"""What the names of registers begin with that no result shows; no name in a text does."""

_MOST_VARIABLES = 100_000
_MOST_REGISTERS = 10_000


class Columns:
    """Instructions of one block."""

    __slots__ = ("clbits", "operations", "parameters", "qubits")

    def __init__(self) -> None:
        self.operations = array("I")
        self.qubits = array("I")
        self.clbits = array("I")
        self.parameters = array("d")

    def message(self) -> pb.Block:
        """Return them as the contract has them."""
        block = pb.Block()
        block.operations.extend(self.operations)
        block.qubits.extend(self.qubits)
        block.clbits.extend(self.clbits)
        block.parameters.extend(self.parameters)
        return block


class Place:
    """Where a classical value lies: in a variable, or in a register, whose first bit is `clbit`. A complex
    number's `imaginary` part is beside its real one.
    """

    __slots__ = ("clbit", "imaginary", "index", "is_register")

    def __init__(self, index: int, *, clbit: int = 0, is_register: bool = False) -> None:
        self.index = index
        self.imaginary: Place | None = None
        self.clbit = clbit
        self.is_register = is_register


class Emitter:
    """Takes instructions, in order, and what they need of memory."""

    def __init__(self, max_instructions: int, base: int, *, at_once: bool) -> None:
        """Begin without anything. `base` is where hidden bits begin, as far as it is known: behind those that
        results show. With `at_once`, too many instructions may be few enough for a process.
        """
        self.max_instructions = max_instructions
        self.at_once = at_once
        self.block = Columns()
        self.num_qubits = 0
        self.quantum_registers: list[tuple[str, int]] = []
        self.shown_bits = 0
        self.hidden_bits = 0
        self.base = base
        self._left = max_instructions
        self._operations: list[pb.Operation] = []
        self._plain: dict[tuple[object, ...], int] = {}
        self._others: dict[bytes, int] = {}
        self._registers: list[pb.Register] = []
        self._variables: list[pb.Variable] = []
        self._names: dict[str, int] = {}
        self._outputs: list[pb.ClassicalOutput] = []

    # --- instructions -----------------------------------------------------------------------------------

    def plain(
        self, name: str, qubits: int = 0, parameters: int = 0, controls: int = 0, state: int | None = None
    ) -> int:
        """Return the number of an operation that its name and sizes tell."""
        if state == (1 << controls) - 1:
            state = None
        key = (name, qubits, parameters, controls, state)
        number = self._plain.get(key)
        if number is None:
            made = pb.Operation(
                name=name, num_qubits=qubits, num_parameters=parameters, num_controls=controls
            )
            if state is not None:
                made.control_state = state
            number = self._plain[key] = self._add(made)
        return number

    def other(self, operation: pb.Operation) -> int:
        """Return the number of any operation."""
        key = operation.SerializeToString(deterministic=True)
        number = self._others.get(key)
        if number is None:
            number = self._others[key] = self._add(operation)
        return number

    def conditioned(self, number: int, condition: pb.Expression) -> int:
        """Return the operation that does as another does where a condition holds."""
        made = pb.Operation()
        made.CopyFrom(self._operations[number])
        made.condition.CopyFrom(condition)
        return self.other(made)

    def is_plain(self, number: int) -> bool:
        """Whether an operation has no condition yet, and is no part of control flow."""
        operation = self._operations[number]
        flow = ("if_else", "while_loop", "for_loop", "switch_case", "store", "barrier", "delay")
        return not operation.HasField("condition") and operation.name not in flow

    def _add(self, operation: pb.Operation) -> int:
        self._operations.append(operation)
        return len(self._operations) - 1

    def emit(
        self,
        number: int,
        qubits: Sequence[int] = (),
        clbits: Sequence[int] = (),
        parameters: Sequence[float] = (),
    ) -> None:
        """Append an instruction."""
        self.count(1)
        block = self.block
        block.operations.append(number)
        if qubits:
            block.qubits.extend(qubits)
        if clbits:
            block.clbits.extend(clbits)
        if parameters:
            block.parameters.extend(parameters)

    def count(self, instructions: int) -> None:
        """Take so many of the instructions that are left.

        Raises:
            ProgramFault: There are more than may be.
            TakesLongError: There are more than are made at once.
        """
        self._left -= instructions
        if self._left < 0:
            if self.at_once:
                raise TakesLongError
            raise too_large(
                "max_instructions",
                self.max_instructions,
                self.max_instructions - self._left,
                f"the program expands to more than {self.max_instructions:,} instructions",
            )

    @contextmanager
    def nested(self) -> Iterator[Columns]:
        """Let what is emitted meanwhile be a block of its own."""
        outer, self.block = self.block, Columns()
        try:
            yield self.block
        finally:
            self.block = outer

    # --- memory -----------------------------------------------------------------------------------------

    def qubits(self, name: str, size: int) -> range:
        """Return new qubits, in a register of this name."""
        start = self.num_qubits
        self.num_qubits += size
        _check_bits("quantum", self.num_qubits)
        if len(self.quantum_registers) == _MOST_REGISTERS:
            raise _too_many("quantum registers", _MOST_REGISTERS)
        self.quantum_registers.append((name, size))
        return range(start, start + size)

    def register(self, name: str, size: int, *, is_shown: bool) -> Place:
        """Return new classical bits, in a register of their own."""
        if is_shown:
            start = self.shown_bits
            self.shown_bits += size
        else:
            start = self.base + self.hidden_bits
            self.hidden_bits += size
            name = f"{HIDDEN}{len(self._registers)}"
        _check_bits("classical", self.shown_bits + self.hidden_bits)
        if len(self._registers) == _MOST_REGISTERS:
            raise _too_many("classical registers", _MOST_REGISTERS)
        self._registers.append(pb.Register(name=name, size=size, bits=range(start, start + size)))
        return Place(len(self._registers) - 1, clbit=start, is_register=True)

    def variable(self, name: str, type_: Type, *, is_input: bool = False) -> Place:
        """Return a new variable, whose name has a number when another has it."""
        if len(self._variables) == _MOST_VARIABLES:
            raise _too_many("variables", _MOST_VARIABLES)
        seen = self._names[name] = self._names.get(name, 0) + 1
        unique = name if seen == 1 else f"{name}.{seen}"
        self._variables.append(pb.Variable(name=unique, type=contract_type(type_), input=is_input))
        return Place(len(self._variables) - 1)

    def output(self, name: str, type_: Type) -> None:
        """Tell what the bits mean that are shown from now on: those of a variable, or of an array of such."""
        self._outputs.append(
            pb.ClassicalOutput(name=name, type=output_type(type_), shape=type_.axes, clbit=self.shown_bits)
        )

    def hidden_registers(self) -> list[int]:
        """Return the numbers of the registers that no result shows."""
        return [number for number, each in enumerate(self._registers) if each.name.startswith(HIDDEN)]

    def register_of(self, number: int) -> pb.Register:
        """Return a classical register."""
        return self._registers[number]

    def circuit(self) -> pb.Circuit:
        """Return all of it."""
        made = pb.Circuit(
            num_qubits=self.num_qubits, num_clbits=max(self.base, self.shown_bits) + self.hidden_bits
        )
        made.quantum_registers.extend(
            pb.Register(name=name, size=size) for name, size in self.quantum_registers
        )
        made.classical_registers.extend(self._registers)
        made.variables.extend(self._variables)
        made.operations.extend(self._operations)
        made.outputs.extend(self._outputs)
        made.body.CopyFrom(self.block.message())
        return made


def _check_bits(which: str, count: int) -> None:
    if count > MAX_BITS:
        raise too_large(
            "max_bits",
            MAX_BITS,
            count,
            f"the {which} registers have {count:,} bits together, and the most is {MAX_BITS:,}",
        )


def _too_many(what: str, most: int) -> Exception:
    return too_large(what.replace(" ", "_"), most, most + 1, f"the program has more than {most:,} {what}")
