"""Folders stay small enough to find one's way in, and say what they hold. lint-imports finds the circles."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "client/basicaer/client",
    "simulator/basicaer/simulator",
    "service/basicaer/service",
    "service/generate_http",
)
# Folders of files that a tool finds by itself, so that there is no package to say what is in it.
FOUND = ("tests", "benchmarks", "examples")
MOST_MODULES = 15
MOST_LINES = 400


def folders(tops: Iterable[str]) -> list[Path]:
    """Return the folders of modules, below the root."""
    return sorted({module.parent.relative_to(ROOT) for top in tops for module in (ROOT / top).rglob("*.py")})


FOLDERS = folders(PACKAGES)


@pytest.mark.parametrize("folder", [*FOLDERS, *folders(FOUND)], ids=str)
def test_a_folder_has_few_modules_of_few_lines(folder: Path) -> None:
    modules = sorted((ROOT / folder).glob("*.py"))
    beside = [module.name for module in modules if module.name not in ("__init__.py", "__main__.py")]
    assert len(beside) <= MOST_MODULES, beside
    lines = {module.name: len(module.read_text().splitlines()) for module in modules}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_says_what_is_in_it(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text()))
    assert said, f"{folder}/__init__.py doesn't say what is in the folder, and who may call it"


def test_no_package_is_misspelt() -> None:
    assert set(map(Path, PACKAGES)) <= set(FOLDERS)


PAGE = ROOT / "service/page/src"


@pytest.mark.parametrize(
    "folder", [PAGE, *sorted(found for found in PAGE.iterdir() if found.is_dir())], ids=str
)
def test_so_do_the_pages_sources(folder: Path) -> None:
    sources = [found for found in folder.iterdir() if found.is_file()]
    assert len(sources) <= MOST_MODULES
    lines = {source.name: len(source.read_text().splitlines()) for source in sources}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
