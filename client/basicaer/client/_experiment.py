"""One program's part of a result: its header, and its data in Qiskit's forms, made when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from basicaer.client._counts import integers_from_words
from basicaer.client._errors import JobError, ProtocolError, ResultError
from basicaer.client._status import JobStatus, status_from_message
from basicaer.client._wire_errors import error_from_job
from basicaer.v1 import circuit_pb2, result_pb2
from google.protobuf import struct_pb2

__all__ = ["ExperimentData", "ExperimentHeader", "ExperimentResult", "struct_to_dict"]

# Far more qubits or classical bits than a state or an outcome has, and few enough to list.
_MOST_BITS = 1 << 20
# What ExperimentData has under a name of its own, in Qiskit's form.
_PROPERTIES = ("counts", "memory", "statevector", "unitary")


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
        """Returns a plain dict."""
        return dict(self)

    @classmethod
    def from_message(cls, header: result_pb2.ProgramHeader) -> ExperimentHeader:
        """Returns the header in Qiskit's words.

        Raises: ProtocolError when it tells of more bits than any result has.
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
        """Returns the counts by integers, in the order of the outcomes."""
        words, counts = self.outcome_words()
        return dict(zip(integers_from_words(words), counts.tolist(), strict=True))

    def outcome_words(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Returns the distinct outcomes in order, as rows of words (the lowest first), and counts."""
        counts = self._message.counts
        width = max(1, counts.words_per_outcome)
        numbers = np.array(counts.counts[:], np.uint64)
        if len(counts.outcomes) != len(numbers) * width or (numbers >> np.uint64(63)).any():
            raise ProtocolError("The server sent counts that don't belong to its outcomes.")
        return np.array(counts.outcomes[:], np.uint64).reshape(-1, width), numbers.astype(np.int64)

    def int_memory(self) -> list[int]:
        """Returns the outcome of each shot as an integer."""
        words = self._array("memory")
        if words.ndim != 2 or words.dtype != np.uint64:
            raise ProtocolError("The server sent a memory that is no table of outcomes.")
        return list(integers_from_words(words))

    def names(self) -> list[str]:
        """Returns which data there is."""
        counts = ["counts"] if self._message.HasField("counts") else []
        return counts + [array.name for array in self._message.arrays]

    def get(self, name: str) -> Any:
        """Returns the data of this name, which is one of `names()`: that of the properties, or a saved array.

        Raises: AttributeError when there is none; ResultError when it was left on the server.
        """
        return getattr(self, name) if name in _PROPERTIES else self._array(name)

    def to_dict(self) -> dict[str, Any]:
        """Returns all data; the arrays are not copied."""
        return {name: self.get(name) for name in self.names()}

    def _array(self, name: str) -> npt.NDArray[Any]:
        if name not in self._arrays:
            self._missing(name)
        array = self._arrays[name]
        if array is None:
            raise ResultError(f"The {name} was left on the server; get it with job.read_array().")
        return array

    def _missing(self, name: str) -> NoReturn:
        raise AttributeError(f"Attribute {name} is not defined")

    def __repr__(self) -> str:
        return f"ExperimentData({', '.join(self.names())})"


class ExperimentResult:
    """What one program of a job gave.

    `error` says why there is none when `success` is false; `seed` is the seed that the server used, `method`
    how the shots were made ("sampled" or "branched").
    """

    meas_level = 2  # Qiskit's number for classified outcomes

    def __init__(self, message: result_pb2.ProgramResult, arrays: dict[str, npt.NDArray[Any] | None]) -> None:
        status = status_from_message(message.status)
        self.shots: int = message.shots
        self.success: bool = status is JobStatus.DONE
        self.status: str = status.name
        self.seed: int = message.seed_simulator
        self.time_taken: float = message.time_taken
        self.method: str = message.method
        self.header = ExperimentHeader.from_message(message.header)
        self.data = ExperimentData(message, arrays)
        self.error: JobError | None = None
        if message.HasField("error"):
            self.error = error_from_job(f"program {self.header.name}", message.status, message.error)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain types and numpy arrays."""
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
        }

    def __repr__(self) -> str:
        return (
            f"ExperimentResult({self.header.get('name')!r}, {self.status}, shots={self.shots}, {self.data!r})"
        )


def struct_to_dict(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Returns a Struct as a dict, with whole numbers as int again.

    (protobuf's own conversion refuses numbers that JSON hasn't: NaN and the infinities.)
    """
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= 2**53 else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return struct_to_dict(value.struct_value)
        case "list_value":
            return [_plain(item) for item in value.list_value.values]
    return None


def _labels(registers: Iterable[circuit_pb2.Register]) -> list[list[str | int]]:
    return [[register.name, index] for register in registers for index in range(register.size)]
