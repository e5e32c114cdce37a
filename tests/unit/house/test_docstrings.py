"""What ruff can't hold of docstrings: that errors stand in one form, `Raises:` alone and a line for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("client", "simulator", "service")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
# On a line of its own, and then names with what each means.
HEADING = re.compile(r"^ *Raises: *$", re.MULTILINE)
ANY_FORM = re.compile(r"\bRaises:")
ENTRY = re.compile(r" {4}[A-Za-z_][\w.]*(, [A-Za-z_][\w.]*)*: \S")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            said = ast.get_docstring(node)
            if said:
                yield node.body[0].lineno, said


def faults(code: str) -> list[tuple[int, str]]:
    found = []
    for line, said in docstrings(ast.parse(code)):
        if len(ANY_FORM.findall(said)) != len(HEADING.findall(said)):
            found.append((line, "text behind Raises:"))
        for heading in HEADING.finditer(said):
            indent = heading[0].index("R")
            first = said[heading.end() :].lstrip("\n").partition("\n")[0]
            if not ENTRY.match(first[indent:]):
                found.append((line, "no error and its meaning below Raises:"))
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_errors_stand_in_one_form(module: Path) -> None:
    assert faults(module.read_text()) == []


@pytest.mark.parametrize(
    "said",
    [
        "Do it.\n\n    Raises: KeyError when it can't.",
        "Raises: KeyError.",
        "Do.\n\n    Raises:\n        a KeyError",
    ],
)
def test_other_forms_are_seen(said: str) -> None:
    assert faults(f'def do():\n    """{said}\n    """\n') != []


def test_the_form_is_seen() -> None:
    assert faults('def do():\n    """Do it.\n\n    Raises:\n        KeyError: It can\'t.\n    """\n') == []
