"""What pickles of an earlier version lack: where the classes are now that they name by the modules in which
these were, and the fields that these have got since.

Results and jobs are kept in pickles, and in joblib's caches, for longer than a version lasts. A module that
moves gets a line here, if something in it can be pickled.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["MOVED", "find_moved", "set_fields"]

# Modules of 0.1.0, and where in `basicaer.client` their names are.
MOVED = {
    "_async_job": "jobs._async_provider",
    "_async_provider": "jobs._async_provider",
    "_circuit": "circuit._circuit",
    "_control_flow": "circuit._control_flow",
    "_counts": "results._counts",
    "_experiment": "results._experiment",
    "_from_qiskit": "conversion.from_qiskit",
    "_handles": "jobs._handles",
    "_inputs": "circuit._inputs",
    "_job": "jobs._provider",
    "_options": "jobs._options",
    "_programs": "jobs._programs",
    "_provider": "jobs._provider",
    "_qiskit_definitions": "conversion._definitions",
    "_qiskit_expressions": "conversion._expressions",
    "_qiskit_operations": "conversion._operations",
    "_result": "results._result",
    "_server_info": "jobs._server_info",
    "_values": "circuit._values",
    "qiskit._data": "qiskit.primitives._data",
    "qiskit._estimator": "qiskit.primitives._estimator",
    "qiskit._job": "qiskit._backend",
    "qiskit._primitive_job": "qiskit.primitives._job",
    "qiskit._primitive_options": "qiskit.primitives._options",
    "qiskit._pubs": "qiskit.primitives._pubs",
    "qiskit._sampler": "qiskit.primitives._sampler",
    "qiskit._sources": "qiskit.primitives._sources",
}
_PACKAGE = f"{__package__}."


def set_fields(target: Any, state: Sequence[Any]) -> None:
    """Fill an instance of a dataclass with the values of its first fields, and the others' defaults."""
    known = dataclasses.fields(target)
    for field, value in zip(known, state, strict=False):
        object.__setattr__(target, field.name, value)
    for field in known[len(state) :]:
        factory = field.default_factory
        value = field.default if factory is dataclasses.MISSING else factory()
        object.__setattr__(target, field.name, value)


class _Moved(MetaPathFinder, Loader):
    """Finds a module by its old name, when nothing else has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        known = fullname.startswith(_PACKAGE) and fullname.removeprefix(_PACKAGE) in MOVED
        return ModuleSpec(fullname, self) if known else None

    def exec_module(self, module: ModuleType) -> None:
        """Let a module have the names of the one that took its place."""
        place = importlib.import_module(_PACKAGE + MOVED[module.__name__.removeprefix(_PACKAGE)])
        module.__dict__["__getattr__"] = functools.partial(getattr, place)


def find_moved() -> None:
    """Have Python find moved modules by their old names, after all others."""
    sys.meta_path.append(_Moved())
