"""Names in statements that aren't lowered: which of them are declared elsewhere, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TypeAlias

from basicaer.service.parsing.openqasm3.syntax import _tree as tree

__all__ = ["Used", "names_used"]

Used: TypeAlias = tree.Name | tree.Call | tree.Apply
"""A variable's, a function's or a gate's name where it is used."""

_Scopes: TypeAlias = list[set[str]]


def names_used(statements: Iterable[tree.Node], declared: set[str]) -> Iterator[Used]:
    """Yield where statements use names that they don't declare themselves, in the order of the text.

    `declared` has further names that are known; what the statements declare outside of blocks is added.
    """
    for statement in statements:
        yield from _statement(statement, [declared])


def _block(body: Iterable[tree.Node], scopes: _Scopes, names: Iterable[str] = ()) -> Iterator[Used]:
    inner = [*scopes, {*names}]
    for statement in body:
        yield from _statement(statement, inner)


def _statement(statement: tree.Node, scopes: _Scopes) -> Iterator[Used]:
    match statement:
        case tree.For():
            yield from _expression([statement.type, statement.values], scopes)
            yield from _block(statement.body, scopes, [statement.name])
        case tree.If():
            yield from _expression(statement.condition, scopes)
            yield from _block(statement.body, scopes)
            yield from _block(statement.otherwise, scopes)
        case tree.While():
            yield from _expression(statement.condition, scopes)
            yield from _block(statement.body, scopes)
        case tree.Switch():
            yield from _expression(statement.target, scopes)
            for labels, body in statement.cases:
                yield from _expression(labels, scopes)
                yield from _block(body, scopes)
            yield from _block(statement.default or [], scopes)
        case tree.Block():
            yield from _block(statement.body, scopes)
        case tree.Box():
            yield from _expression(statement.time, scopes)
            yield from _block(statement.body, scopes)
        case tree.GateDef():
            scopes[-1].add(statement.name)
            yield from _block(statement.body, scopes, [*statement.parameters, *statement.qubits])
        case tree.Def():
            yield from _expression([each.type for each in statement.parameters], scopes)
            scopes[-1].add(statement.name)
            yield from _block(statement.body, scopes, [each.name for each in statement.parameters])
        case tree.Declare() | tree.QubitDeclare() | tree.Let() | tree.Extern():
            yield from _expression(statement, scopes)
            scopes[-1].add(statement.name)
        case _:
            yield from _expression(statement, scopes)


def _expression(root: object, scopes: _Scopes) -> Iterator[Used]:
    """Yield what an expression, or a statement without blocks, uses."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += reversed(node)
        elif isinstance(node, tree.DurationOf):
            yield from _block(node.body, scopes)
        elif isinstance(node, tree.Node):
            if isinstance(node, tree.Name | tree.Call | tree.Apply) and not _declares(scopes, node.name):
                yield node
            waiting += [getattr(node, each.name) for each in reversed(fields(node)) if each.name != "at"]


def _declares(scopes: _Scopes, name: str) -> bool:
    return any(name in names for names in scopes)
