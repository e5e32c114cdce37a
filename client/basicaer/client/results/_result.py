"""A job's result, with the methods, the formats and the error texts of `qiskit.result.Result`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ResultError
from basicaer.client._times import time_from_message
from basicaer.client.results._arrays import array_form
from basicaer.client.results._counts import Counts, format_outcome, format_outcomes
from basicaer.client.results._experiment import ExperimentResult
from basicaer.client.results._json import as_json
from basicaer.client.results._outputs import Outputs
from basicaer.v1 import result_pb2

__all__ = ["Result"]


class Result:
    """What a job gave: one entry in `results` for each program, in the job's order.

    An experiment is named by its index, its circuit's name, or the circuit itself; None means the only one.
    """

    def __init__(
        self,
        message: result_pb2.Result,
        arrays: Mapping[str, npt.NDArray[Any] | None] | None = None,
        metadata: Mapping[int, dict[str, Any]] | None = None,
    ) -> None:
        """Take the message and, by part, those of its arrays that are not inside it; None leaves one out.

        `metadata` is that of circuits, by their programs, in place of what went over the wire.

        Raises:
            ProtocolError: The message makes no sense.
        """
        parts = dict(arrays or {})
        self.job_id: str = message.job_id
        self.backend_name: str = message.backend_name
        self.backend_version: str = message.backend_version
        self.success: bool = message.success
        self.date: datetime = time_from_message(message.end_time)
        self.time_taken: float = message.time_taken
        self.etag: str = message.etag
        self.results = [
            ExperimentResult(
                program,
                {
                    array.name: parts[array.part] if array.part in parts else _inline(array)
                    for array in program.arrays
                },
            )
            for program in message.programs
        ]
        for program, entry in zip(message.programs, self.results, strict=True):
            if metadata and program.program_index in metadata:
                entry.header["metadata"] = metadata[program.program_index]

    @property
    def status(self) -> str:
        """The text "COMPLETED", or the message of the first program that failed."""
        for result in self.results:
            if result.error is not None:
                return result.error.message
        return "COMPLETED" if self.success else "ERROR"

    def data(self, experiment: Any = None) -> dict[str, Any]:
        """Return an experiment's data: counts and memory by hexadecimal outcomes, states not copied."""
        return self._experiment(experiment).data.to_dict()

    @overload
    def get_counts(self, experiment: None = None) -> Any: ...  # a union would burden those with one program
    @overload
    def get_counts(self, experiment: Any) -> Counts: ...
    def get_counts(self, experiment: Any = None) -> Counts | list[Counts]:
        """Return an experiment's counts by bit strings, or a list of all when there are several.

        For an experiment without counts but with a state, the counts are the probabilities of its outcomes.

        Raises:
            ResultError: An experiment has neither, or failed.
        """
        keys = list(range(len(self.results))) if experiment is None else [experiment]
        counts = [self._counts(key) for key in keys]
        return counts[0] if len(counts) == 1 else counts

    def get_memory(self, experiment: Any = None) -> list[str]:
        """Return the bit string of each shot.

        Raises:
            ResultError: The job ran without memory=True.
        """
        found = self._experiment(experiment)
        if "memory" not in found.data.names():
            raise ResultError(
                f'No memory for experiment "{experiment!r}". '
                'Please verify that you ran the job with the memory flag set, eg., "memory=True".'
            )
        return format_outcomes(found.data.int_memory(), found.header.memory_slots, _sizes(found))

    def get_outputs(self, experiment: Any = None) -> Outputs:
        """Return an experiment's outputs: typed values by the names of the program's variables.

            outputs = job.result().get_outputs()
            outputs["n"].counts  # {3: 510, -1: 514}
            outputs["n"].values  # the value of each shot, of a job with memory=True
            outputs.counts       # of all outputs together: {(3, True): 510, (-1, False): 514}

        Raises:
            ResultError: The experiment has no counts.
            ProtocolError: The server told what can't be.
        """
        found = self._experiment(experiment)
        if "counts" not in found.data.names():
            raise ResultError(f'No counts for experiment "{experiment!r}"')
        return Outputs(found.data)

    def get_statevector(self, experiment: Any = None, decimals: int | None = None) -> npt.NDArray[Any]:
        """Return the 2^n amplitudes of the final state, rounded to `decimals` if that is given.

        Not rounded, it's the array that the result holds: a change of it shows everywhere.
        """
        return self._state("statevector", experiment, decimals)

    def get_unitary(self, experiment: Any = None, decimals: int | None = None) -> npt.NDArray[Any]:
        """Return the circuit's matrix of 2^n by 2^n, rounded and shared as by `get_statevector`."""
        return self._state("unitary", experiment, decimals)

    def get_expectation_values(self, experiment: Any = None) -> npt.NDArray[np.float64]:
        """Return the expectation values of a Program with observables: for each row those of all.

        Raises:
            ResultError: The experiment has none.
        """
        return self._state("expectation_values", experiment, None)

    def get_gradients(self, experiment: Any = None) -> npt.NDArray[np.float64]:
        """Return the derivatives of a Program with `gradient`, of shape (rows, observables, inputs).

        The inputs are in the order in which the Program has them, the elements of a vector one after another.

        Raises:
            ResultError: The experiment has none.
        """
        return self._state("gradients", experiment, None)

    def get_detectors(self, experiment: Any = None, label: str = "detectors") -> npt.NDArray[np.bool_]:
        """Return for each shot which detectors fired, of shape (shots, detectors).

        `data(experiment)[label]` has them packed, as uint8 of shape (shots, bytes): bit k of byte j of a row
        is that of detector 8 j + k.

        Raises:
            ResultError: The experiment has none.
        """
        return self._bits(label, experiment)

    def get_observables(self, experiment: Any = None, label: str = "observables") -> npt.NDArray[np.bool_]:
        """Return for each shot which observables were flipped, as `get_detectors` does."""
        return self._bits(label, experiment)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's types, under the keys of Qiskit's Result.

        An amplitude is the list of its two parts, as in Qiskit's JSON; `data()` has the arrays themselves.
        """
        found: dict[str, Any] = as_json(self._contents())
        return found

    def _contents(self) -> dict[str, Any]:
        return {
            "backend_name": self.backend_name,
            "backend_version": self.backend_version,
            "date": self.date,
            "header": None,
            "qobj_id": self.job_id,
            "job_id": self.job_id,
            "status": self.status,
            "success": self.success,
            "results": [result.to_dict() for result in self.results],
            "time_taken": self.time_taken,
        }

    def _counts(self, key: Any) -> Counts:
        found = self._experiment(key)
        header = found.header
        names = found.data.names()
        if "counts" in names:
            return Counts(found.data.int_counts(), found.time_taken, header.creg_sizes, header.memory_slots)
        if found.data.has_state:
            probabilities = np.abs(found.data.statevector) ** 2
            seen = np.flatnonzero(np.round(probabilities, 15))
            return Counts(
                {format_outcome(int(index), header.n_qubits): float(probabilities[index]) for index in seen}
            )
        raise ResultError(f'No counts for experiment "{key!r}"')

    def _state(self, name: str, experiment: Any, decimals: int | None) -> npt.NDArray[Any]:
        found = self._experiment(experiment)
        if name not in found.data.names():
            raise ResultError(f'No {name} for experiment "{experiment!r}"')
        state: npt.NDArray[Any] = found.data.get(name)
        return state if decimals is None else np.around(state, decimals)

    def _bits(self, label: str, experiment: Any) -> npt.NDArray[np.bool_]:
        found = self._experiment(experiment)
        if label not in found.data.names():
            raise ResultError(f'No {label} for experiment "{experiment!r}"')
        return found.data.bits(label)

    def _experiment(self, key: Any) -> ExperimentResult:
        """Return the experiment of an index, a name or a circuit, if it succeeded."""
        if key is None:
            if len(self.results) != 1:
                raise ResultError(
                    "You have to select a circuit or schedule when there is more than one available"
                )
            key = 0
        if isinstance(key, int | np.integer):
            try:
                found = self.results[int(key)]
            except IndexError:
                raise ResultError(f'Result for experiment "{key}" could not be found.') from None
        else:
            name = key if isinstance(key, str) else getattr(key, "name", key)
            fits = [result for result in self.results if result.header.name == name]
            if not fits:
                raise ResultError(f'Data for experiment "{name}" could not be found.')
            if len(fits) > 1:
                warnings.warn(
                    f'Result object contained multiple results matching name "{name}", '
                    "only first match will be returned. Use an integer index to "
                    "retrieve results for all entries.",
                    stacklevel=4,
                )
            found = fits[0]
        if not found.success:
            error = found.error
            raise ResultError(
                f"Experiment {found.header.name!r} has no data: {error.message if error else found.status}",
                reason=error.reason if error else "",
                metadata=error.metadata if error else None,
            ) from error
        return found

    def __repr__(self) -> str:
        return (
            f"Result(backend_name={self.backend_name!r}, job_id={self.job_id!r}, success={self.success}, "
            f"results={self.results})"
        )


def _sizes(result: ExperimentResult) -> list[int]:
    return [int(size) for _, size in result.header.creg_sizes]


def _inline(array: result_pb2.Array) -> npt.NDArray[Any] | None:
    """Return an array that came inside the message, writable; None when it didn't."""
    if len(array.data) != array.size_bytes:
        return None
    dtype, shape = array_form(array, array.part)
    return np.frombuffer(array.data, dtype).reshape(shape).copy()
