"""One program's part of a result: its header, and its data in Qiskit's forms, made when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import JobError, ProtocolError, ResultError
from basicaer.client._status import JobStatus, status_from_message
from basicaer.client._structures import struct_to_dict
from basicaer.client._wire_errors import error_from_job
from basicaer.client.results._chains import BONDS, WEIGHTS, chain_of
from basicaer.client.results._counts import integers_from_words
from basicaer.client.results._methods import MatrixProductStateCuts, cuts_of, method_name
from basicaer.client.results._sense import check_array, check_counts, check_outcomes, check_saved
from basicaer.client.results._typed import Form, forms_of
from basicaer.v1 import circuit_pb2, result_pb2

__all__ = ["ExperimentData", "ExperimentHeader", "ExperimentResult"]

# Far more qubits or classical bits than a state or an outcome has, and few enough to list.
_MOST_BITS = 1 << 20
# What ExperimentData has under a name of its own, in Qiskit's form.
_PROPERTIES = ("counts", "memory", "statevector", "unitary")
# Behind the label of what is saved for each value of the classical bits: these values.
_OUTCOMES = ".outcomes"
_CHAIN = "matrix_product_state"


class ExperimentHeader(dict[str, Any]):
    """The names and sizes of an experiment, as items (`header["name"]`) and as attributes."""

    name: str
    metadata: dict[str, Any]
    global_phase: float
    n_qubits: int
    memory_slots: int
    qreg_sizes: list[list[str | int]]
    creg_sizes: list[list[str | int]]
    qubit_labels: list[list[str | int]]
    clbit_labels: list[list[str | int]]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"Attribute {name} is not defined") from None

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dict."""
        return dict(self)

    @classmethod
    def from_message(cls, header: result_pb2.ProgramHeader) -> ExperimentHeader:
        """Return the header in Qiskit's words.

        Raises:
            ProtocolError: It tells of more bits than any result has.
        """
        for registers in (header.quantum_registers, header.classical_registers):
            bits = max(header.num_qubits, header.num_clbits, sum(register.size for register in registers))
            if bits > _MOST_BITS:
                raise ProtocolError(f"The server sent a program of {bits:,} bits.")
        return cls(
            name=header.name,
            metadata=struct_to_dict(header.metadata),
            global_phase=header.global_phase,
            n_qubits=header.num_qubits,
            memory_slots=header.num_clbits,
            qreg_sizes=[[register.name, register.size] for register in header.quantum_registers],
            creg_sizes=[[register.name, register.size] for register in header.classical_registers],
            qubit_labels=_labels(header.quantum_registers),
            clbit_labels=_labels(header.classical_registers),
        )


class ExperimentData:
    """An experiment's data: those of `counts`, `memory`, `statevector` and `unitary` that it has.

    Counts and memory have hexadecimal outcomes ("0x2"); states are numpy arrays of complex128 or complex64.
    """

    def __init__(self, message: result_pb2.ProgramResult, arrays: dict[str, npt.NDArray[Any] | None]) -> None:
        self._message = message
        self._arrays = arrays
        self._memory: list[str] | None = None
        # What was looked at, and belongs to the program.
        self._counts_make_sense = False
        self._sensible: set[str] = set()

    @property
    def counts(self) -> dict[str, int]:
        """How often each outcome was seen."""
        if not self._message.HasField("counts"):
            self._missing("counts")
        return {hex(outcome): count for outcome, count in self.int_counts().items()}

    @property
    def memory(self) -> list[str]:
        """The outcome of each shot, in the order of the shots."""
        if self._memory is None:
            self._memory = [hex(value) for value in self.int_memory()]
        return self._memory

    @property
    def statevector(self) -> npt.NDArray[Any]:
        """The 2^n amplitudes of the final state; qubit 0 is the index's least significant bit."""
        return self._array("statevector")

    @property
    def unitary(self) -> npt.NDArray[Any]:
        """The circuit's matrix of 2^n by 2^n."""
        return self._array("unitary")

    def int_counts(self) -> dict[int, int]:
        """Return the counts by integers, in the order of the outcomes."""
        words, counts = self.outcome_words()
        return dict(zip(integers_from_words(words), counts.tolist(), strict=True))

    def outcome_words(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return the distinct outcomes in order, as rows of words (the lowest first), and counts.

        Raises:
            ProtocolError: They make no sense.
        """
        counts = self._message.counts
        width = max(1, counts.words_per_outcome)
        numbers = np.array(counts.counts[:], np.uint64)
        if len(counts.outcomes) != len(numbers) * width or (numbers >> np.uint64(63)).any():
            raise ProtocolError("The server sent counts that don't belong to its outcomes.")
        words = np.array(counts.outcomes[:], np.uint64).reshape(-1, width)
        message = self._message
        if not self._counts_make_sense:
            check_counts(words, numbers.tolist(), message.header.num_clbits, message.shots)
            self._counts_make_sense = True
        return words, numbers.astype(np.int64)

    def int_memory(self) -> list[int]:
        """Return the outcome of each shot as an integer."""
        return list(integers_from_words(self.memory_words()))

    def bits(self, name: str) -> npt.NDArray[np.bool_]:
        """Return the bits that lie packed in an array, such as "detectors", of shape (shots, number).

        Raises:
            AttributeError: There is no such array.
            ProtocolError: It is none of bits.
            ResultError: It was left on the server.
        """
        packed, description = self._array(name), self.description(name)
        count = 0 if description is None else description.bits_per_row
        if packed.dtype != np.uint8 or packed.shape != (self._message.shots, -(-count // 8)):
            raise ProtocolError(f"The server sent {name}, which are no rows of {count:,} bits.")
        return np.unpackbits(packed, axis=1, count=count, bitorder="little").view(np.bool_)

    def bit_names(self) -> list[str]:
        """Return which arrays are of packed bits."""
        return [array.name for array in self._message.arrays if array.bits_per_row]

    def memory_words(self) -> npt.NDArray[np.uint64]:
        """Return the outcome of each shot, as rows of words, the lowest first."""
        return self._array("memory")

    @property
    def declares_outputs(self) -> bool:
        """Whether the program tells what its outcomes' bits mean."""
        return bool(self._message.header.outputs)

    def output_forms(self) -> list[Form]:
        """Return what the outcomes' bits mean.

        Raises:
            ProtocolError: The server told what can't be.
        """
        return forms_of(self._message.header)

    def names(self) -> list[str]:
        """Return which data there is."""
        counts = ["counts"] if self._message.HasField("counts") else []
        arrays = self._message.arrays
        # These belong to what was saved for each of them.
        others = {array.name + _OUTCOMES for array in arrays if array.conditional}
        for array in arrays:
            if array.kind == _CHAIN:
                others.update((array.name + BONDS, array.name + WEIGHTS))
        return counts + [array.name for array in arrays if array.name not in others]

    def get(self, name: str) -> Any:
        """Return the data of this name, which is one of `names()`: that of the properties, or a saved array.

        What is saved for each shot has an axis more. What is saved for each value of the classical bits is a
        dict of arrays, by hexadecimal outcomes. A chain of tensors is a `MatrixProductState`.

        Raises:
            AttributeError: There is none.
            ResultError: It was left on the server.
        """
        description = self.description(name)
        if description is not None and description.conditional:
            return self._by_outcome(description)
        if description is not None and description.kind == _CHAIN:
            bonds = self._array(name + BONDS)
            return chain_of(self._array(name), bonds.reshape(-1).tolist(), self._array(name + WEIGHTS))
        if name in _PROPERTIES and (description is None or not description.kind):
            return getattr(self, name)
        return self._array(name)

    @property
    def has_state(self) -> bool:
        """Whether `statevector` is the state of one shot: the final one, or one that the circuit saves."""
        found = self.description("statevector")
        if found is None or found.kind not in ("", "statevector"):
            return False
        return not (found.per_shot or found.conditional)

    def description(self, name: str) -> result_pb2.Array | None:
        """Return what is told of the array of this name; None when there is none."""
        return next((array for array in self._message.arrays if array.name == name), None)

    def _by_outcome(self, description: result_pb2.Array) -> dict[str, npt.NDArray[Any]]:
        values, words = self._array(description.name), self._array(description.name + _OUTCOMES)
        check_outcomes(words, len(values), self._message.header.num_clbits)
        if not description.per_shot:
            outcomes = integers_from_words(words)
            return {hex(outcome): value for outcome, value in zip(outcomes, values, strict=True)}
        distinct, owners = np.unique(words[:, ::-1], axis=0, return_inverse=True)
        owners = owners.reshape(-1)
        return {
            hex(outcome): values[owners == number]
            for number, outcome in enumerate(integers_from_words(np.ascontiguousarray(distinct[:, ::-1])))
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all data; the arrays are not copied."""
        return {name: self.get(name) for name in self.names()}

    def _array(self, name: str) -> npt.NDArray[Any]:
        if name not in self._arrays:
            self._missing(name)
        array = self._arrays[name]
        if array is None:
            raise ResultError(f"The {name} was left on the server; get it with job.read_array().")
        if name not in self._sensible:
            header, description = self._message.header, self.description(name)
            if description is not None and description.kind:
                check_saved(array, description, header.num_qubits)
            else:
                check_array(array, name, header.num_qubits, header.num_clbits, self._message.shots)
            self._sensible.add(name)
        return array

    def _missing(self, name: str) -> NoReturn:
        raise AttributeError(f"Attribute {name} is not defined")

    def __repr__(self) -> str:
        return f"ExperimentData({', '.join(self.names())})"


class ExperimentResult:
    """What one program of a job gave.

    `error` says why there is none when `success` is false. `method` says how the shots were made ("sampled"
    or "branched"), `simulation_method` how the state was held ("statevector", "density_matrix", "stabilizer",
    "matrix_product_state" or "superop"; "" by the unitary simulator), and `reason` why so;
    `matrix_product_state` says how far such states were cut, None for others. `nodes` says over how many
    nodes of a cluster the state was spread.

    `seed` is the seed that the server used and, in the bits above its 64, which stream of it this experiment
    drew from: given as `seed_simulator`, it repeats the experiment alone.
    """

    meas_level = 2  # Qiskit's number for classified outcomes
    # Of what was pickled by a client that didn't know them.
    simulation_method: str = ""
    reason: str = ""
    matrix_product_state: MatrixProductStateCuts | None = None
    nodes: int = 1

    def __init__(self, message: result_pb2.ProgramResult, arrays: dict[str, npt.NDArray[Any] | None]) -> None:
        status = status_from_message(message.status)
        self.shots: int = message.shots
        self.success: bool = status is JobStatus.DONE
        self.status: str = status.name
        self.seed: int = message.seed_stream << 64 | message.seed_simulator
        self.time_taken: float = message.time_taken
        self.method: str = message.method
        self.simulation_method = method_name(message.simulation_method)
        self.reason = message.reason
        self.matrix_product_state = cuts_of(message)
        self.nodes = message.nodes or 1
        self.header = ExperimentHeader.from_message(message.header)
        self.data = ExperimentData(message, arrays)
        self.error: JobError | None = None
        if message.HasField("error"):
            self.error = error_from_job(f"program {self.header.name}", message.status, message.error)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types and numpy arrays."""
        return {
            "shots": self.shots,
            "success": self.success,
            "data": self.data.to_dict(),
            "meas_level": self.meas_level,
            "header": self.header.to_dict(),
            "status": self.status if self.error is None else f"{self.status}: {self.error.message}",
            "seed": self.seed,
            "time_taken": self.time_taken,
            "method": self.method,
            "simulation_method": self.simulation_method,
            "reason": self.reason,
        }

    def __repr__(self) -> str:
        return (
            f"ExperimentResult({self.header.get('name')!r}, {self.status}, shots={self.shots}, {self.data!r})"
        )


def _labels(registers: Iterable[circuit_pb2.Register]) -> list[list[str | int]]:
    return [[register.name, index] for register in registers for index in range(register.size)]
