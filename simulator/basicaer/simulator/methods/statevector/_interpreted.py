"""Runs compiled functions as Python, with the same results to the last bit, before they are compiled.

A function's twin has its code, and for each compiled function, intrinsic and array that this uses another
twin. Numbers are Python's own, which round as compiled ones do: those of numpy divide complex numbers in
another way, and have their own cosine. Real numbers of single precision stay numpy's. What isn't the same in
both: integers here don't wrap around at 64 bits, which no function of the engine does, and nobody else may
use the arrays meanwhile.
"""

from __future__ import annotations

import functools
import math
import sys
import threading
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic

__all__ = ["interpreted", "is_exact"]

_ENGINE = "basicaer.simulator.methods.statevector.engine"


@functools.cache
def is_exact() -> bool:
    """Whether Python multiplies complex numbers as compiled code does, with each product rounded. Where its
    own compiler makes a product and a sum one instruction, it doesn't.
    """
    z = complex(1.0 + 2.0**-30, 1.0 + 2.0**-30)
    return (z * z).real == 0.0 and (np.complex128(z) * np.complex128(z)).real == 0.0


def interpreted(dispatcher: Any) -> Callable[..., Any]:
    """Return the function of a numba dispatcher as one that Python runs; it takes and returns arrays, numbers
    and tuples of them.
    """
    function = _twin(dispatcher)

    def run(*args: Any) -> Any:
        return _as_own(function(*map(_as_scalars, args)))

    return run


class _Scalars(np.ndarray[Any, Any]):
    """An array whose elements are Python's numbers."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if isinstance(found, (np.ndarray, np.float32)):
            return found
        return found.item()


def _as_scalars(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.view(_Scalars)
    return _map(_as_scalars, value) if isinstance(value, tuple) else value


def _as_own(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray)
    return _map(_as_own, value) if isinstance(value, tuple) else value


def _map(function: Callable[[Any], Any], values: Any) -> Any:
    made = map(function, values)
    return type(values)(*made) if hasattr(values, "_fields") else tuple(made)


class _Numpy:
    """numpy, as compiled functions see it."""

    cos, sin, sqrt = staticmethod(math.cos), staticmethod(math.sin), staticmethod(math.sqrt)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, *args: Any) -> Any:
        return np.empty(*args).view(_Scalars)

    def zeros(self, *args: Any) -> Any:
        return np.zeros(*args).view(_Scalars)

    def ones(self, *args: Any) -> Any:
        return np.ones(*args).view(_Scalars)


class _Module:
    """A module of the engine, with twins for its functions."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = _names(self._name)[name]
        # Found at once from now on.
        setattr(self, name, found)
        return found


_numpy = _Numpy()
_lock = threading.RLock()
_modules: dict[str, dict[str, Any]] = {}
_twins: dict[Any, Callable[..., Any]] = {}


def _names(module: str) -> dict[str, Any]:
    """Return what the names of a module stand for in twins."""
    # Another thread may be about to find that out.
    with _lock:
        names = _modules.get(module)
        if names is None:
            # Entered first, since functions call each other in circles.
            names = _modules[module] = dict(vars(sys.modules[module]))
            for name, value in list(names.items()):
                names[name] = _seen(value)
        return names


def _seen(value: Any) -> Any:
    """Return what twins see in a value's place."""
    if isinstance(value, Dispatcher):
        return _twin(value)
    if isinstance(value, _Intrinsic):
        return getattr(value, "meaning", value)
    if value is np:
        return _numpy
    if isinstance(value, ModuleType) and value.__name__.startswith(_ENGINE):
        return _Module(value.__name__)
    return value


def _twin(dispatcher: Any) -> Callable[..., Any]:
    function = dispatcher.py_func
    with _lock:
        names = _names(function.__module__)
        # Its module's names may have had it made.
        if function not in _twins:
            _twins[function] = FunctionType(
                function.__code__, names, function.__name__, function.__defaults__, function.__closure__
            )
        return _twins[function]
