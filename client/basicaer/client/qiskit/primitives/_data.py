"""The data of one PUB in Qiskit's class, with what copies and pickles need, which that of Qiskit 1 lacks."""

from __future__ import annotations

from typing import Any

from qiskit import primitives

__all__ = ["DataBin"]


class DataBin(primitives.DataBin):
    """Arrays by name, each beginning with the axes of the PUB's shape."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _data_bin, (dict(self.items()), self.shape)


def _data_bin(arrays: dict[str, Any], shape: tuple[int, ...]) -> DataBin:
    return DataBin(**arrays, shape=shape)
