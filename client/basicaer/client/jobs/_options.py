"""The options of a run: their names and defaults, and how they go onto the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy.typing as npt
from basicaer.client._errors import OptionInvalidError
from basicaer.client._moved import set_fields
from basicaer.client._numbers import real, whole
from basicaer.client._structures import complex_array
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.results._methods import METHODS
from basicaer.v1 import circuit_pb2, job_pb2

__all__ = ["MatrixProductStateOptions", "Options", "integer"]

_PRECISIONS = {
    "double": job_pb2.PRECISION_DOUBLE,
    "single": job_pb2.PRECISION_SINGLE,
}


_NUMBERS: Mapping[str, job_pb2.SimulationMethod.ValueType] = {
    name: number for number, name in METHODS.items()
} | {"automatic": job_pb2.SIMULATION_METHOD_AUTOMATIC}
_MOST_BOND = 2**32


@dataclasses.dataclass(frozen=True, slots=True)
class MatrixProductStateOptions:
    """Bounds of the bonds of matrix product states.

    A bond has at most `max_bond_dimension` values; None sets no bound. Of each bond the least weights are
    left out that together are at most `truncation_threshold` of all (from 0 to below 1); None is what double
    precision rounds anyway.
    """

    max_bond_dimension: int | None = None
    truncation_threshold: float | None = None

    def to_message(self) -> job_pb2.MatrixProductStateOptions:
        """Return the bounds for the wire.

        Raises:
            OptionInvalidError: For what the wire can't hold.
        """
        message = job_pb2.MatrixProductStateOptions()
        if self.max_bond_dimension is not None:
            try:
                most = whole(self.max_bond_dimension)
            except TypeError:
                raise _bound_invalid("max_bond_dimension", self.max_bond_dimension, "an integer") from None
            if not 1 <= most < _MOST_BOND:
                raise _bound_invalid("max_bond_dimension", most, "an integer from 1 to below 2^32")
            message.max_bond_dimension = most
        if self.truncation_threshold is not None:
            try:
                message.truncation_threshold = real(self.truncation_threshold)
            except (TypeError, ValueError, OverflowError):
                raise _bound_invalid("truncation_threshold", self.truncation_threshold, "a number") from None
        return message


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Options:
    """The options of a run, named as those of Qiskit's BasicAer. None leaves one to the server.

    `shots` is how often each program is run (the server's default is 1024); `memory` asks for the outcome of
    each shot; `seed_simulator` makes the outcomes repeatable: a number of 64 bits, or the `seed` of an
    experiment, which repeats that one alone; `initial_statevector` (2^n amplitudes) and `initial_unitary`
    (2^n by 2^n) take the place of the state and the matrix before the first instruction; `chop_threshold` is
    below which magnitude parts of amplitudes become 0; `precision` is "double" or "single";
    `max_parallel_threads` is the most threads of the job; `max_run_time` is how long it may run, in seconds,
    before it fails with TIME_LIMIT_EXCEEDED; `noise_model` is put into each program.
    `method` is how the state is held: "automatic" (the server's choice, the default), "statevector",
    "density_matrix", "stabilizer", "matrix_product_state" or "superop"; `matrix_product_state` bounds the
    bonds of such states, as `MatrixProductStateOptions` or a mapping. `nodes` is over how many nodes of a
    cluster each state vector is spread, a power of two; 0 leaves that to the server, too.
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
    noise_model: NoiseModel | None = None
    method: str | None = None
    matrix_product_state: MatrixProductStateOptions | Mapping[str, Any] | None = None
    nodes: int | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        set_fields(self, state)

    def updated(self, fields: Mapping[str, Any]) -> Options:
        """Return these options with some of them changed.

        Raises:
            OptionInvalidError: For a name that isn't an option.
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
        """Return the options for the wire; what they mean is the server's to check.

        Raises:
            OptionInvalidError: For what the wire can't hold.
        """
        message = job_pb2.RunOptions(memory=bool(self.memory))
        if self.shots is not None:
            message.shots = integer("shots", self.shots, -(2**63), 2**63)
        if self.seed_simulator is not None:
            seed = integer("seed_simulator", self.seed_simulator, 0, 2**96)
            message.seed_stream, message.seed_simulator = divmod(seed, 2**64)
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
            message.max_parallel_threads = integer(
                "max_parallel_threads", self.max_parallel_threads, 0, 2**32
            )
        if self.max_run_time is not None:
            try:
                message.max_run_time.FromTimedelta(timedelta(seconds=real(self.max_run_time)))
            except (TypeError, ValueError, OverflowError):
                raise _invalid("max_run_time", f"is not a number of seconds: {self.max_run_time!r}") from None
        if self.noise_model is not None:
            if not isinstance(self.noise_model, NoiseModel):
                raise _invalid("noise_model", f"is no NoiseModel: {self.noise_model!r}")
            message.noise_model.CopyFrom(self.noise_model.to_message())
        if self.method is not None:
            message.method = _method_number(self.method)
        if self.matrix_product_state is not None:
            message.matrix_product_state.CopyFrom(_chains_message(self.matrix_product_state))
        if self.nodes is not None:
            message.nodes = integer("nodes", self.nodes, 0, 2**32)
        return message


def _complex(name: str, values: npt.ArrayLike, dimensions: int) -> circuit_pb2.ComplexArray:
    try:
        return complex_array(values, dimensions)
    except ValueError as error:
        raise _invalid(name, str(error)) from None


def integer(name: str, value: Any, low: int, high: int) -> int:
    """Return an option's value that is whole, whatever its type: 1e4 is.

    Raises:
        OptionInvalidError: It isn't, or not from `low` to below `high`; with the option's name.
    """
    try:
        number = whole(value)
    except TypeError:
        raise _invalid(name, f"is not an integer: {value!r}") from None
    if not low <= number < high:
        raise _invalid(name, f"must be at least {low} and less than {high}: {number}")
    return number


def _invalid(name: str, what: str) -> OptionInvalidError:
    return OptionInvalidError(
        f"{name} {what}.", reason="OPTION_INVALID", metadata={"field": f"options.{name}"}
    )


def _method_number(name: Any) -> job_pb2.SimulationMethod.ValueType:
    """Return the contract's number of a method.

    Raises:
        OptionInvalidError: There is none of this name.
    """
    number = _NUMBERS.get(name) if isinstance(name, str) else None
    if number is None:
        raise OptionInvalidError(
            f"There is no method {name!r}. The methods are: {', '.join(sorted(_NUMBERS))}.",
            reason="OPTION_INVALID",
            metadata={"field": "options.method"},
        )
    return number


def _chains_message(
    given: MatrixProductStateOptions | Mapping[str, Any],
) -> job_pb2.MatrixProductStateOptions:
    """Return bounds, or a mapping of their names, for the wire.

    Raises:
        OptionInvalidError: They are none.
    """
    if isinstance(given, MatrixProductStateOptions):
        return given.to_message()
    names = [field.name for field in dataclasses.fields(MatrixProductStateOptions)]
    if not isinstance(given, Mapping) or not set(given) <= set(names):
        raise OptionInvalidError(
            f"The option matrix_product_state is {given!r}; give {' and '.join(names)}.",
            reason="OPTION_INVALID",
            metadata={"field": "options.matrix_product_state"},
        )
    return MatrixProductStateOptions(**given).to_message()


def _bound_invalid(name: str, value: Any, wanted: str) -> OptionInvalidError:
    return OptionInvalidError(
        f"The option matrix_product_state.{name} is {value!r}; give {wanted}.",
        reason="OPTION_INVALID",
        metadata={"field": f"options.matrix_product_state.{name}"},
    )
