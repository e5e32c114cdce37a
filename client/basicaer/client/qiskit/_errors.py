"""The client's errors as Qiskit's too, so that `except` of either kind works.

An error of the client's tree becomes one of a class that derives from its own class and from Qiskit's of that
meaning: JobTimeoutError and JobError from those of `qiskit.providers`, BackendNotFoundError from
QiskitBackendNotFoundError, and every other from QiskitError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from basicaer.client import _errors as errors
from qiskit.exceptions import QiskitError
from qiskit.providers import JobError, JobTimeoutError, QiskitBackendNotFoundError

__all__ = ["both", "translated"]

# The first class that an error is of decides.
_TWINS: list[tuple[type[errors.BasicAerError], type[Exception]]] = [
    (errors.JobTimeoutError, JobTimeoutError),
    (errors.JobError, JobError),
    (errors.JobNotFoundError, JobError),
    (errors.JobNotFinalError, JobError),
    (errors.BackendNotFoundError, QiskitBackendNotFoundError),
    (errors.BasicAerError, QiskitError),
]


# The classes of both trees, by those of the client's.
_CLASSES: dict[type[errors.BasicAerError], type[errors.BasicAerError]] = {}


def _class(kind: type[errors.BasicAerError]) -> type[errors.BasicAerError]:
    """Return a class of both trees, under the client's name."""
    if kind not in _CLASSES:
        _CLASSES[kind] = _derived(kind)
    return _CLASSES[kind]


def _derived(kind: type[errors.BasicAerError]) -> Any:
    twin = next(twin for ours, twin in _TWINS if issubclass(kind, ours))
    # Qiskit's own text is the message's repr.
    text = _message if kind.__str__ is Exception.__str__ else kind.__str__
    members = {"__module__": __name__, "__doc__": kind.__doc__, "__str__": text, "__reduce__": _reduce}
    return type(kind.__name__, (kind, twin), members)


def _message(error: errors.BasicAerError) -> str:
    return error.message


def _reduce(error: errors.BasicAerError) -> tuple[Any, ...]:
    """Return what pickles are made of: a class made here has no name to be loaded by; that of the client's
    tree has.
    """
    kind = next(kind for kind in type(error).__mro__[1:] if issubclass(kind, errors.BasicAerError))
    return _loaded, (kind, error.args, error.__dict__)


def _loaded(
    kind: type[errors.BasicAerError], args: tuple[Any, ...], state: dict[str, Any]
) -> errors.BasicAerError:
    plain = kind.__new__(kind, *args)
    plain.__dict__.update(state)
    return both(plain)


def both(error: errors.BasicAerError) -> errors.BasicAerError:
    """Return an error of both trees with all that the client's says.

    One that is already is returned as it is.
    """
    if QiskitError in type(error).__mro__:
        return error
    kind = _class(type(error))
    twin: errors.BasicAerError = kind.__new__(kind, error.message)
    twin.__dict__.update(error.__dict__)
    twin.__cause__ = error.__cause__
    return twin


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Make errors of both trees of those that the client raises inside."""
    try:
        yield
    except errors.BasicAerError as error:
        twin = both(error)
        raise twin from (error.__cause__ or error)
