"""Whatever is Python is checked: no folder and no file is left out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
# Of builds, and of those whose packages are others'.
OTHERS = {"build", "dist", "node_modules", "target"}
SWITCHES = re.compile(
    r"^# *(mypy: *ignore-errors|mypy: *disable|ruff: *noqa|flake8: *noqa|type: *ignore)", re.M
)


def _folders() -> Iterator[Path]:
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in OTHERS:
            yield folder


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.py"):
        if not OTHERS.intersection(path.relative_to(ROOT).parts) and not path.stem.endswith(
            ("_pb2", "_pb2_grpc")
        ):
            yield path


def test_mypy_looks_into_every_folder() -> None:
    assert MYPY["strict"] is True
    assert set(MYPY["files"]) == {folder.name for folder in _folders() if any(_files(folder))}


def test_no_file_switches_its_checks_off() -> None:
    files = [path for folder in _folders() for path in _files(folder)]
    assert len(files) > 500
    assert not [str(path) for path in files if SWITCHES.search(path.read_text())]
