"""What statements mention, without looking at what the names stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from basicaer.service.parsing.openqasm3.syntax import _tree as tree

__all__ = ["assigned_names", "has_early_return", "has_jumps", "measured_names", "mentions", "names_in"]


def _nodes(root: object) -> Iterator[Any]:
    """Every node of a tree, the outer ones first."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += node
        elif isinstance(node, tree.Node):
            yield node
            waiting += [getattr(node, each.name) for each in fields(node) if each.name != "at"]


def _base(expression: object) -> str | None:
    while isinstance(expression, tree.Index):
        expression = expression.base
    return expression.name if isinstance(expression, tree.Name) else None


def assigned_names(statements: Iterable[tree.Statement]) -> set[str]:
    """Return the names of all variables that statements may change; a call may change its arguments, and what
    an alias among them stands for may be changed by its name.
    """
    found: set[str] = set()
    for node in _nodes(list(statements)):
        match node:
            case tree.Assign() | tree.MeasureInto():
                targets: list[object] = [node.target]
            case tree.Call():
                targets = list(node.arguments)
            case tree.Apply():
                # A subroutine may be called as gates are.
                targets = [*node.arguments, *node.operands]
            case tree.Let():
                targets = [each for each in _nodes(node.value) if isinstance(each, tree.Name)]
            case _:
                continue
        found.update(name for target in targets if (name := _base(target)) is not None)
    return found


def names_in(statement: tree.Statement) -> Iterator[tree.Name]:
    """Yield the names in a statement, but for those in its blocks and in definitions."""
    match statement:
        case tree.Block() | tree.Box() | tree.GateDef() | tree.Def():
            return
        case tree.If() | tree.While():
            root: object = statement.condition
        case tree.For():
            root = statement.values
        case tree.Switch():
            root = statement.target
        case _:
            root = statement
    for node in _nodes(root):
        if isinstance(node, tree.Name):
            yield node


def mentions(statements: Iterable[tree.Statement], name: str) -> bool:
    """Whether a name stands in statements."""
    return any(isinstance(node, tree.Name) and node.name == name for node in _nodes(list(statements)))


def has_jumps(statements: Iterable[tree.Statement]) -> bool:
    """Whether statements leave the loop around them, or go to its next turn."""
    waiting: list[Any] = list(statements)
    while waiting:
        match waiting.pop():
            case tree.Leave(word="break" | "continue"):
                return True
            case tree.If() as choice:
                waiting += [*choice.body, *choice.otherwise]
            case tree.Switch() as switch:
                waiting += [each for _, body in switch.cases for each in body] + (switch.default or [])
            case tree.Block() | tree.Box() as block:
                waiting += block.body
            case _:
                pass
    return False


def has_early_return(body: list[tree.Statement]) -> bool:
    """Whether a subroutine returns anywhere but at its end."""
    returns = sum(isinstance(node, tree.Return) for node in _nodes(body))
    return returns > (1 if body and isinstance(body[-1], tree.Return) else 0)


_MEASURED = re.compile(
    r"\b([^\W\d]\w{0,200}+)(?:\[[^\]\n]{0,200}\])?[ \t]{0,20}=[ \t]{0,20}measure\b"
    r"|\bmeasure\b[^;\n>]{0,200}->[ \t]{0,20}([^\W\d]\w{0,200}+)"
)


def measured_names(text: str) -> set[str]:
    """Return the names of what measurements write to, as far as that is seen at a glance."""
    return {found[1] or found[2] for found in _MEASURED.finditer(text)}
