"""A program's outputs: the variables that its outcomes hold, as Python's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._errors import ResultError
from basicaer.client.results._experiment import ExperimentData
from basicaer.client.results._typed import Form

__all__ = ["Output", "Outputs"]


class Output:
    """One output of a program: what each shot left in a variable.

    `name` is the variable's, `type` is written as in OpenQASM, such as "int[8]" or "array[float[64], 2]";
    `kind` is its first word, or an element's ("int"); `width` is in bits, 0 for a single bit and for a bool;
    `shape` is an array's, else ().

    A value is an int for bit, bit[n], uint and int, a bool, a float (of an angle in radians), or a complex;
    an array's value is a numpy array.
    """

    def __init__(self, form: Form, data: ExperimentData) -> None:
        self.name = form.name
        self.type = form.type
        self.kind = form.kind
        self.width = form.width
        self.shape = form.shape
        self._form = form
        self._data = data

    @property
    def counts(self) -> dict[Any, int]:
        """How often each value was seen; an array's as a tuple, of tuples where it has several axes."""
        words, counts = self._data.outcome_words()
        found: dict[Any, int] = {}
        for value, count in zip(self._keys(words), counts.tolist(), strict=True):
            found[value] = found.get(value, 0) + count
        return found

    @property
    def values(self) -> npt.NDArray[Any]:
        """The value of each shot, in the order of the shots: an array of shape `(shots, *shape)`.

        Its dtype is bool, uint64, int64, float64 or complex128; object for integers of more than 64 bits.

        Raises:
            ResultError: The job ran without memory=True.
        """
        return self._form.values(_memory(self._data))

    @property
    def value(self) -> Any:
        """The value that all shots have in common.

        Raises:
            ResultError: They differ.
        """
        words, _ = self._data.outcome_words()
        keys = self._keys(words)
        if len(set(keys)) != 1:
            raise ResultError(f"The shots have different values of {self.name!r}; see its counts.")
        return self._form.values(words)[0] if self.shape else keys[0]

    def _keys(self, words: npt.NDArray[np.uint64]) -> list[Any]:
        """Return the value in each outcome, one that can be a key."""
        known: dict[str, Any] = {}
        return [_key(value, known) for value in self._form.values(words).tolist()]

    def __repr__(self) -> str:
        return f"Output({self.name!r}, {self.type!r})"


class Outputs(Mapping[str, Output]):
    """The outputs of a program by their names, in the order of their declaration.

    Of a program that declares none, each classical register is one of type bit[n]; `is_declared` is False.
    """

    def __init__(self, data: ExperimentData) -> None:
        """Take a program's data.

        Raises:
            ProtocolError: Its outputs make no sense.
        """
        self._data = data
        self.is_declared = data.declares_outputs
        self._outputs = {form.name: Output(form, data) for form in data.output_forms()}

    @property
    def counts(self) -> dict[tuple[Any, ...], int]:
        """How often the values of all outputs were seen together: tuples of them, in the outputs' order."""
        words, counts = self._data.outcome_words()
        found: dict[tuple[Any, ...], int] = {}
        columns = [output._keys(words) for output in self.values()]
        for number, count in enumerate(counts.tolist()):
            key = tuple(column[number] for column in columns)
            found[key] = found.get(key, 0) + count
        return found

    def __getitem__(self, name: str) -> Output:
        return self._outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        return f"Outputs({', '.join(f'{output.name}: {output.type}' for output in self.values())})"


def _memory(data: ExperimentData) -> npt.NDArray[np.uint64]:
    if "memory" not in data.names():
        raise ResultError('There is no value for each shot; run the job with "memory=True".')
    return data.memory_words()


def _key(value: Any, known: dict[str, Any]) -> Any:
    """Return a value that can be a key: lists as tuples, and the same object for all that are no number."""
    if isinstance(value, list):
        return tuple(_key(item, known) for item in value)
    if value != value:
        return known.setdefault(repr(value), value)
    return value
