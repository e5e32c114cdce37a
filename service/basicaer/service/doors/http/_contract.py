"""The paths of the contract, and the document that describes them, as `make contract` wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

__all__ = ["Contract", "Rule"]

_FOLDER = files("basicaer.service.doors.http")
_VARIABLE = re.compile(r"{(\w+)(=\*\*)?}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to a method: the verb, the path as Starlette writes it, which fields are in the path and which
    in the query, and which one is the body ("*" for all that are left, "" for none).
    """

    rpc: str
    verb: str
    path: str
    in_path: Sequence[str]
    in_query: Sequence[str]
    body: str


class Contract:
    """What is read once, when the server is made."""

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document."""
        return (_FOLDER / "openapi.json").read_bytes()

    @cached_property
    def rules(self) -> list[Rule]:
        """The rules, those whose path ends in a verb before those that would take it for an id."""
        paths: dict[str, Any] = json.loads(self.openapi)["paths"]
        found = []
        for raw in json.loads((_FOLDER / "rules.json").read_bytes()):
            template = raw["template"]
            operation = paths[re.sub(r"=\*\*", "", template)][raw["verb"].lower()]
            found.append(
                Rule(
                    rpc=raw["rpc"],
                    verb=raw["verb"],
                    path=_VARIABLE.sub(
                        lambda match: f"{{{match[1]}{':path' if match[2] else ''}}}", template
                    ),
                    in_path=[name for name, _ in _VARIABLE.findall(template)],
                    in_query=[one["name"] for one in operation["parameters"] if one["in"] == "query"],
                    body=raw["body"],
                )
            )
        return sorted(found, key=lambda rule: not re.search(r":\w+$", rule.path))


def _starlette(variable: re.Match[str]) -> str:
    return f"{{{variable[1]}:path}}" if variable[2] else variable[0]
