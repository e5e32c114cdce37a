"""The options of a run: their names and defaults, and how they go onto the wire."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import OptionInvalidError
from basicaer.v1 import circuit_pb2, job_pb2
from google.protobuf import struct_pb2

__all__ = ["Options", "complex_array", "struct_from_dict"]

_PRECISIONS = {
    "double": job_pb2.PRECISION_DOUBLE,
    "single": job_pb2.PRECISION_SINGLE,
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Options:
    """The options of a run, named as those of Qiskit's BasicAer. None leaves one to the server.

    `shots` is how often each program is run (the server's default is 1024); `memory` asks for the outcome of
    each shot; `seed_simulator` makes the outcomes repeatable; `initial_statevector` (2^n amplitudes) and
    `initial_unitary` (2^n by 2^n) take the place of the state and the matrix before the first instruction;
    `chop_threshold` is below which magnitude parts of amplitudes become 0; `precision` is "double" or
    "single"; `max_parallel_threads` is the most threads of the job; `max_run_time` is how long it may run, in
    seconds, before it fails with TIME_LIMIT_EXCEEDED.
    """

    shots: int | None = None
    memory: bool = False
    seed_simulator: int | None = None
    initial_statevector: npt.ArrayLike | None = None
    initial_unitary: npt.ArrayLike | None = None
    chop_threshold: float | None = None
    precision: str | None = None
    max_parallel_threads: int | None = None
    max_run_time: float | None = None

    def updated(self, fields: Mapping[str, Any]) -> Options:
        """Returns these options with some of them changed.

        Raises: OptionInvalidError for a name that isn't an option.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for name in fields:
            if name not in known:
                raise OptionInvalidError(
                    f"There is no option {name!r}. The options are: {', '.join(known)}.",
                    reason="OPTION_INVALID",
                    metadata={"field": f"options.{name}"},
                )
        return dataclasses.replace(self, **fields)

    def to_message(self) -> job_pb2.RunOptions:
        """Returns the options for the wire; what they mean is the server's to check.

        Raises: OptionInvalidError for what the wire can't hold.
        """
        message = job_pb2.RunOptions(memory=bool(self.memory))
        if self.shots is not None:
            message.shots = _integer("shots", self.shots, -(2**63), 2**63)
        if self.seed_simulator is not None:
            message.seed_simulator = _integer("seed_simulator", self.seed_simulator, 0, 2**64)
        if self.initial_statevector is not None:
            message.initial_statevector.CopyFrom(_complex("initial_statevector", self.initial_statevector, 1))
        if self.initial_unitary is not None:
            message.initial_unitary.CopyFrom(_complex("initial_unitary", self.initial_unitary, 2))
        if self.chop_threshold is not None:
            try:
                message.chop_threshold = float(self.chop_threshold)
            except (TypeError, ValueError):
                raise _invalid("chop_threshold", f"is not a number: {self.chop_threshold!r}") from None
        if self.precision is not None:
            if self.precision not in _PRECISIONS:
                raise _invalid("precision", f'is neither "double" nor "single": {self.precision!r}')
            message.precision = _PRECISIONS[self.precision]
        if self.max_parallel_threads is not None:
            message.max_parallel_threads = _integer(
                "max_parallel_threads", self.max_parallel_threads, 0, 2**32
            )
        if self.max_run_time is not None:
            try:
                message.max_run_time.FromTimedelta(timedelta(seconds=self.max_run_time))
            except (TypeError, ValueError, OverflowError):
                raise _invalid("max_run_time", f"is not a number of seconds: {self.max_run_time!r}") from None
        return message


def complex_array(values: npt.ArrayLike, dimensions: int) -> circuit_pb2.ComplexArray:
    """Returns numbers as little-endian complex128 in row-major order.

    Raises: ValueError when they are not numbers or have another number of axes.
    """
    try:
        array = np.ascontiguousarray(values, "<c16")
    except (TypeError, ValueError) as error:
        raise ValueError(f"is not an array of complex numbers: {error}") from None
    if array.ndim != dimensions:
        raise ValueError(f"has {array.ndim} axes instead of {dimensions}")
    return circuit_pb2.ComplexArray(shape=array.shape, data=array.tobytes())


def struct_from_dict(name: str, data: Mapping[str, Any]) -> struct_pb2.Struct:
    """Returns a dict as a Struct: text, numbers, truth values, None, and lists and dicts of them.

    Raises: OptionInvalidError for anything else in it.
    """
    struct = struct_pb2.Struct()
    try:
        struct.update(_plain(data))
    except (TypeError, ValueError, AttributeError) as error:
        raise OptionInvalidError(
            f"The {name} can hold text, numbers, lists and dicts alone: {error}",
            reason="OPTION_INVALID",
            metadata={"field": name},
        ) from None
    return struct


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _complex(name: str, values: npt.ArrayLike, dimensions: int) -> circuit_pb2.ComplexArray:
    try:
        return complex_array(values, dimensions)
    except ValueError as error:
        raise _invalid(name, str(error)) from None


def _integer(name: str, value: Any, low: int, high: int) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise _invalid(name, f"is not an integer: {value!r}") from None
    if not low <= number < high:
        raise _invalid(name, f"must be at least {low} and less than {high}: {number}")
    return number


def _invalid(name: str, what: str) -> OptionInvalidError:
    return OptionInvalidError(
        f"{name} {what}.", reason="OPTION_INVALID", metadata={"field": f"options.{name}"}
    )
