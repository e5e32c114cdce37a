"""What `basicaer.client` promises by its names: complete, typed, and quick to import."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import basicaer.client as client
from basicaer.client import _errors


def test_all_is_complete_and_sorted() -> None:
    public = {
        name
        for name, value in vars(client).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(client.__all__) == public
    assert list(client.__all__) == sorted(client.__all__)


def test_every_error_is_public_and_in_the_drawn_tree() -> None:
    found = {
        name: value
        for name, value in vars(_errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert set(_errors.__all__) == set(found)
    lines = [line.replace("│", " ") for line in (_errors.__doc__ or "").splitlines()]
    parents: list[tuple[int, str]] = []
    drawn = {}
    for line in lines:
        name = line.replace("├──", "   ").replace("└──", "   ").strip().partition(" ")[0]
        if name not in found:
            continue
        indent = line.index(name)
        parents = [(depth, parent) for depth, parent in parents if depth < indent]
        drawn[name] = parents[-1][1] if parents else "Exception"
        parents.append((indent, name))
    assert drawn == {name: value.__mro__[1].__name__ for name, value in found.items()}
    assert set(found) <= set(client.__all__)


def test_the_twins_have_the_same_members() -> None:
    for sync, twin in (
        (client.BasicAerProvider, client.AsyncBasicAerProvider),
        (client.BasicAerBackend, client.AsyncBasicAerBackend),
        (client.BasicAerJob, client.AsyncBasicAerJob),
    ):
        members = {name for name in dir(sync) if not name.startswith("_")}
        assert members == {name for name in dir(twin) if not name.startswith("_")}
        for name in members:
            if inspect.isfunction(method := getattr(sync, name)):
                ours = list(inspect.signature(method).parameters)
                assert ours == list(inspect.signature(getattr(twin, name)).parameters), name


def test_the_import_loads_no_framework() -> None:
    code = "import basicaer.client, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"numba", "qiskit", "scipy", "llvmlite", "click", "rich"}
