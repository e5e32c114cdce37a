"""What a user can see of BasicAer, a fact a line: names, settings, commands, metrics, the contract.

`python -m tests.unit.surface.describe` prints the list. `surface.txt` is that list as it was at commit
2631156; a release may add to it, and takes nothing away.
"""

from __future__ import annotations

import abc
import ast
import asyncio
import enum
import importlib
import inspect
import re
import tempfile
import textwrap
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from basicaer.service.cli import cli
from basicaer.service.config import Config
from basicaer.service.config._setting import settings_of
from basicaer.service.main import Service
from basicaer.v1 import (
    circuit_pb2,
    diagnostic_pb2,
    error_reason_pb2,
    job_pb2,
    job_service_pb2,
    noise_pb2,
    result_pb2,
)
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

__all__ = ["PACKAGES", "commands", "contract", "everything", "metrics", "names", "settings"]

PACKAGES = ("basicaer.client", "basicaer.client.qiskit", "basicaer.simulator", "basicaer.service")
_PROTOS = (
    *(circuit_pb2, diagnostic_pb2, error_reason_pb2, job_pb2, job_service_pb2, noise_pb2),
    result_pb2,
)
# Bases that a class is written with; what they do to it is seen by itself.
_MEANS = (object, abc.ABC, typing.Generic)
# Methods with two underscores that users call without naming them; the others are how Python does its part.
_OPERATORS = re.compile(
    r"__(?!(init|new|init_subclass|class_getitem|reduce|reduce_ex|getstate|setstate|setattr|delattr|replace|post_init|repr|str)__)"
    r"\w+__"
)

# Types that signatures tell of and nobody imports: their names, and those that they had in the list.
_WITHIN = {"StepProgram": "Program", "Sampling": "Method", "Computation": "Method"}


def names() -> Iterator[str]:
    """Yield every public name, what it is, and the members and parameters that it has."""
    public = {package: importlib.import_module(package) for package in PACKAGES}
    renamed = _renamed(public.values())
    for package, module in public.items():
        for name in sorted(module.__all__):
            for line in _object(f"{package}.{name}", getattr(module, name)):
                yield re.sub(r"\w+", lambda word: renamed.get(word[0], word[0]), line)


def settings() -> Iterator[str]:
    """Yield every setting of a server, with its flag, variable, form, default and bounds."""
    for found in settings_of(Config):
        bound = "" if found.least is None else f", {'at least' if found.at_least else 'above'} {found.least}"
        yield (
            f"setting {found.name}: {found.flag} {found.variable} {found.kind.metavar or 'switch'}, "
            f"default {found.default_text}{bound}"
        )


def commands() -> Iterator[str]:
    """Yield every command of `basicaer`, with its arguments and options."""
    yield from _command("basicaer", cli)


def metrics() -> Iterator[str]:
    """Yield every metric of a server, with its type and labels."""
    yield from asyncio.run(_metrics())


def contract() -> Iterator[str]:
    """Yield every message, field, enum, value and method of `basicaer.v1`."""
    for module in _PROTOS:
        file = module.DESCRIPTOR
        for message in file.message_types_by_name.values():
            yield from _message(message)
        for kind in file.enum_types_by_name.values():
            yield from _enum(kind)
        for service in file.services_by_name.values():
            for method in service.methods:
                asked = "stream " * method.client_streaming + method.input_type.full_name
                told = "stream " * method.server_streaming + method.output_type.full_name
                yield f"method {method.full_name}: {asked} -> {told}"


def everything() -> list[str]:
    """Return the whole list, sorted."""
    return sorted({*names(), *settings(), *commands(), *metrics(), *contract()})


async def _metrics() -> list[str]:
    # A server belongs to the event loop that it is made in.
    found = []
    with tempfile.TemporaryDirectory() as folder:
        metrics = Service(Config(data_dir=Path(folder) / "data"))._metrics
        labels = {tally.name: tally.label_names for tally in metrics._tallies}
        for family in metrics.registry.collect():
            if family.name.startswith("basicaer_"):
                shown = [name for sample in family.samples[:1] for name in sample.labels]
                told = ", ".join(labels.get(family.name) or shown)
                found.append(f"metric {family.name}: {family.type}, labels ({told})")
    return found


def _renamed(modules: Iterable[ModuleType]) -> Mapping[str, str]:
    """Return the older name of each type that has two, by the name that it calls itself."""
    found = dict(_WITHIN)
    for module in modules:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and value.__name__ != name:
                found[value.__name__] = name
    return found


def _object(path: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value) and typing.get_origin(value) is None:
        yield from _class(path, value)
    elif typing.get_origin(value) is not None:
        yield f"{path}: stands for {_type(value)}"
    elif callable(value):
        yield f"{path}: {_kind_of_function(value)}"
        yield from _signature(path, value)
    else:
        yield f"{path}: {type(value).__name__}"
        if isinstance(value, Mapping):
            yield from (f"{path}[{key!r}]" for key in value)


def _class(path: str, value: type) -> Iterator[str]:
    yield f"{path}: class"
    ours = [kind for kind in value.__mro__ if kind.__module__.startswith("basicaer.")]
    for kind in value.__mro__[1:]:
        if kind not in _MEANS and kind.__name__[0] != "_" and (kind not in ours or _is_public(kind)):
            yield f"{path}: is a {kind.__name__}"
    if issubclass(value, enum.Enum):
        yield from (f"{path}.{name} = {member.value!r}" for name, member in value.__members__.items())
    elif any("__init__" in vars(kind) for kind in ours):
        yield from _signature(path, value)
    for name in sorted({name for kind in ours for name in vars(kind)}):
        if name.startswith("_") and not (
            _OPERATORS.fullmatch(name) and callable(inspect.getattr_static(value, name))
        ):
            continue
        if issubclass(value, enum.Enum) and name in value.__members__:
            continue
        yield from _member(f"{path}.{name}", inspect.getattr_static(value, name))
    for kind in ours:
        yield from (f"{path}.{name}: attribute" for name in _assigned(kind) if name not in dir(value))


def _is_public(kind: type) -> bool:
    return any(getattr(importlib.import_module(package), kind.__name__, None) is kind for package in PACKAGES)


def _member(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, property):
        yield f"{path}: property" + (", settable" if value.fset else "")
    elif isinstance(value, staticmethod | classmethod):
        yield f"{path}: {type(value).__name__}"
        yield from _signature(path, value.__func__)
    elif inspect.isfunction(value):
        yield f"{path}: {_kind_of_function(value)}"
        if not path.endswith("__"):
            yield from _signature(path, value)
    else:
        yield f"{path}: attribute"


def _kind_of_function(value: Any) -> str:
    if inspect.isasyncgenfunction(value):
        return "asynchronous generator"
    return "coroutine" if inspect.iscoroutinefunction(value) else "function"


def _signature(path: str, value: Any) -> Iterator[str]:
    """Yield a line for each parameter, with its place where that counts, and one for the return."""
    found = inspect.signature(value)
    for place, parameter in enumerate(found.parameters.values()):
        if place == 0 and parameter.name in ("self", "cls"):
            continue
        by_name = parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)
        where = parameter.kind.description if by_name else f"{parameter.kind.description} {place}"
        default = (
            "required" if parameter.default is parameter.empty else f"default {_plain(parameter.default)}"
        )
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            default = "any number"
        yield f"{path}({parameter.name}): {where}, {default}, {_type(parameter.annotation)}"
    if not inspect.isclass(value):
        yield f"{path}() -> {_type(found.return_annotation)}"


def _plain(default: Any) -> str:
    return re.sub(r" at 0x\w+|<factory>", "", repr(default))


def _type(annotation: Any) -> str:
    """Return an annotation without the modules that its names are in."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text).replace("'", "")


def _assigned(kind: type) -> list[str]:
    """Return the public attributes that a class's own `__init__` sets."""
    init = vars(kind).get("__init__")
    if not inspect.isfunction(init):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except OSError:
        return []  # a dataclass's, whose fields are its parameters
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return sorted(
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self" and target.attr[0] != "_"
    )


def _command(path: str, command: click.Command) -> Iterator[str]:
    yield f"command {path}"
    for parameter in command.params:
        written = " ".join([*parameter.opts, *parameter.secondary_opts])
        if isinstance(parameter, click.Option):
            yield f"command {path}: option {written}, {_form(parameter)}"
        else:
            yield f"command {path}: argument {parameter.human_readable_name}"
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(f"{path} {name}", inner)


def _form(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return f"one of {', '.join(map(str, option.type.choices))}"
    return "flag" if option.is_flag else "repeated" if option.multiple else "value"


def _message(message: Descriptor) -> Iterator[str]:
    yield f"message {message.full_name}"
    for field in message.fields:
        kind = field.message_type or field.enum_type
        named = kind.full_name if kind else _SCALARS[field.type]
        form = "repeated " if field.is_repeated else ""
        one_of = f", in {field.containing_oneof.name}" if field.containing_oneof else ""
        yield f"field {field.full_name} = {field.number}: {form}{named}, {field.json_name}{one_of}"
    for inner in message.nested_types:
        yield from _message(inner)
    for inner_enum in message.enum_types:
        yield from _enum(inner_enum)


def _enum(kind: EnumDescriptor) -> Iterator[str]:
    yield f"enum {kind.full_name}"
    for value in kind.values:
        yield f"value {kind.full_name}.{value.name} = {value.number}"


_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}

if __name__ == "__main__":
    print("\n".join(everything()))
