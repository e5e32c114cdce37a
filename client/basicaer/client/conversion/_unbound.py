"""A Qiskit circuit that waits for values, and the programs that it becomes with rows of them.

The server binds parameters: the circuit is sent once, with the rows. What can't be sent without numbers, such
as a gate whose matrix is made of them, is bound here, and a program for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import CircuitError
from basicaer.client.conversion.from_qiskit import CircuitWithInputs
from basicaer.v1 import job_pb2

__all__ = ["Given", "Unbound", "key_name"]


class Given(NamedTuple):
    """What a caller gives for one or several of a circuit's inputs: for each its place in the value.

    A parameter takes a number, which has no places; a vector's elements have one each of `length`.
    """

    key: Any
    value: Any
    places: list[tuple[int, int]]
    length: int | None

    @property
    def rank(self) -> int:
        """How many dimensions the value for one run has."""
        return 0 if self.length is None else 1


class Unbound:
    """A circuit, and what its unbound parameters and input variables are called.

    `inputs` are these, in the order of the columns of a row: parameters, then variables.
    """

    def __init__(
        self, circuit: Any, convert: Callable[[Any], CircuitWithInputs], source: str = "parameter_binds"
    ) -> None:
        """`source` is what errors call the place that values come from.

        Raises:
            ConversionError: Whatever values it gets, it can't be run.
            Exception: A gate's own definition raises it.
        """
        self._circuit = circuit
        self._source = source
        self._convert = convert
        self._converted: CircuitWithInputs | None = None
        parameters = list(getattr(circuit, "parameters", ()))
        try:
            self._converted = convert(circuit)
        except Exception:
            if not parameters:
                raise
            # Before Qiskit 2, the parameters of loops are among the circuit's.
            loops = _loop_parameters(circuit)
            self._parameters = [parameter for parameter in parameters if parameter not in loops]
        else:
            self._parameters = [parameter for parameter in parameters if parameter in self._converted.names]
        self.inputs = [*self._parameters, *getattr(circuit, "iter_input_vars", tuple)()]
        self._column = {identity: column for column, identity in enumerate(self.inputs)}
        # A parameter's name before a variable's.
        self._named = {key_name(identity): column for column, identity in reversed([*enumerate(self.inputs)])}
        self._vectors = {
            parameter.vector.name: parameter.vector
            for parameter in self._parameters
            if hasattr(parameter, "vector")
        }

    @property
    def name(self) -> str:
        """The circuit's name."""
        return self._circuit.name or ""

    @property
    def travels(self) -> bool:
        """Whether the circuit can be sent without its values."""
        return self._converted is not None

    def given(self, values: Mapping[Any, Any]) -> list[Given]:
        """Return what of `values` is for this circuit; a key is one of the inputs, a vector, or a name of
        one.
        """
        found = []
        for key, value in values.items():
            vector = key if _is_vector(key) else None
            if isinstance(key, str) and key not in self._named:
                vector = self._vectors.get(key)
            if vector is not None:
                columns = [self._column.get(element) for element in vector]
                places = [(column, place) for place, column in enumerate(columns) if column is not None]
                if places:
                    found.append(Given(key, value, places, len(columns)))
                continue
            column = self._named.get(key) if isinstance(key, str) else self._column.get(key)
            if column is not None:
                found.append(Given(key, value, [(column, 0)], None))
        return found

    def row(self, given: Iterable[Given]) -> list[float]:
        """One run's values for all inputs.

        Raises:
            CircuitError: One has none, two, or one that is no real number.
        """
        row: dict[int, float] = {}
        for one in given:
            values = [one.value] if one.length is None else list(one.value)
            if one.length not in (None, len(values)):
                many = f"{len(values)} values" if values else "no values"
                raise CircuitError(
                    f"{self._source} gives {key_name(one.key)!r} {many}, but it has {one.length} elements."
                )
            for column, place in one.places:
                if column in row:
                    raise CircuitError(f"{self._source} gives {key_name(self.inputs[column])!r} two values.")
                try:
                    row[column] = float(values[place])
                except (TypeError, ValueError):
                    raise CircuitError(
                        f"{self._source} gives {key_name(one.key)!r} the value {values[place]!r}, "
                        "which is not a real number."
                    ) from None
        self.check_complete(row)
        return [row[column] for column in range(len(self.inputs))]

    def check_complete(self, row: Mapping[int, Any]) -> None:
        """Check that each input has a value in `row`.

        Raises:
            CircuitError: One has none.
        """
        missing = [key_name(self.inputs[column]) for column in range(len(self.inputs)) if column not in row]
        if missing:
            names = ", ".join(map(repr, missing))
            raise CircuitError(
                f"Circuit {self.name!r} has parameters without a value: {names}. "
                f"Give {self._source}, or bind them with circuit.assign_parameters({{...}})."
            )

    def programs(self, rows: npt.NDArray[np.float64]) -> list[job_pb2.Program]:
        """Return the circuit with rows of values, of shape (runs, inputs): one program, or one for each row.

        Raises:
            CircuitError: Nothing can give a parameter its value.
            ConversionError: With these values it can't be run.
        """
        if self._converted is not None:
            return [self._program(self._converted, self.inputs, rows)]
        count = len(self._parameters)
        made = []
        for row in rows:
            bound = self._circuit.assign_parameters(
                dict(zip(self._parameters, map(_number, row[:count].tolist()), strict=True))
            )
            variables = row[None, count:]
            made.append(self._program(self._convert(bound), self.inputs[count:], variables))
        return made

    def _program(
        self, converted: CircuitWithInputs, inputs: list[Any], rows: npt.NDArray[np.float64]
    ) -> job_pb2.Program:
        names = dict(converted.names)
        program = job_pb2.Program(circuit=converted.message)
        program.inputs.names.extend(names.pop(identity) for identity in inputs)
        program.inputs.values.extend(rows.reshape(-1).tolist())
        if names:
            # In a definition that the circuit doesn't know of.
            raise CircuitError(
                f"Circuit {self.name!r} has the parameter {key_name(next(iter(names)))!r} inside of a gate's "
                "definition alone, where nothing can give it a value."
            )
        if not inputs:
            program.ClearField("inputs")
        return program


def key_name(key: Any) -> Any:
    """Return what a person calls a parameter, a vector or a variable."""
    return getattr(key, "name", key)


def _is_vector(key: Any) -> bool:
    """Whether this is a ParameterVector, which takes an array where a parameter takes a number."""
    return hasattr(key, "params") and hasattr(key, "name")


def _loop_parameters(circuit: Any) -> set[Any]:
    """Return the parameters that the loops in a circuit give values to."""
    found = set()
    for instruction in circuit.data:
        for block in getattr(instruction.operation, "blocks", ()):
            found |= _loop_parameters(block)
        if instruction.operation.name == "for_loop":
            found.add(instruction.operation.params[1])
    return found


def _number(value: float) -> float | int:
    """Return a whole number as an int, which a duration in `dt` has to be."""
    return int(value) if value.is_integer() else value
