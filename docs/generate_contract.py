"""Writes the reference of the contract, docs/contract.md, from the comments in protos/.

    buf build protos -o - | python docs/generate_contract.py > docs/contract.md

`make contract` does it, and `make lint` checks that it was done.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PACKAGE = "basicaer.v1"
# The order of the page: what one calls, what one sends and gets, and what may go wrong.
FILES = ("job_service", "job", "circuit", "noise", "result", "diagnostic", "error_reason")
# Field numbers of descriptor.proto, of which the paths of comments are made.
MESSAGES, ENUMS, SERVICES, FIELDS, VALUES, METHODS = 4, 5, 6, 2, 2, 2
INTRODUCTION = """\
# The contract `basicaer.v1`

<!-- Made from the comments in protos/basicaer/v1 by `make contract`: change those. -->

Requests, answers and jobs, as every client meets them. [compatibility.md](compatibility.md) tells what may
change; [tests/conformance](../tests/conformance/README.md) proves a client.
"""

Path = tuple[int, ...]


class File:
    """One .proto file and its comments."""

    def __init__(self, descriptor: FileDescriptorProto) -> None:
        self.descriptor = descriptor
        self._comments = {
            tuple(location.path): location.leading_comments
            for location in descriptor.source_code_info.location
        }

    def comment(self, *path: int) -> list[str]:
        """Return the comment's lines, without the space after the slashes."""
        return [
            line.removeprefix(" ").rstrip() for line in self._comments.get(path, "").strip("\n").split("\n")
        ]

    def page(self) -> Iterator[str]:
        """Return the file's part of the page."""
        for index, service in enumerate(self.descriptor.service):
            yield from self._service(service, (SERVICES, index))
        for index, message in enumerate(self.descriptor.message_type):
            yield from self._message(message, (MESSAGES, index))
        for index, enum in enumerate(self.descriptor.enum_type):
            yield from self._enum(enum, (ENUMS, index))

    def _service(self, service: ServiceDescriptorProto, path: Path) -> Iterator[str]:
        yield f"\n### {service.name}\n"
        yield from _prose(self.comment(*path))
        for index, method in enumerate(service.method):
            stream = "stream of " if method.server_streaming else ""
            yield f"\n#### {method.name}\n"
            yield f"{_link(method.input_type)} → {stream}{_link(method.output_type)}\n"
            yield from _prose(self.comment(*path, METHODS, index))

    def _message(self, message: DescriptorProto, path: Path) -> Iterator[str]:
        yield f"\n### {message.name}\n"
        yield from _prose(self.comment(*path))
        if not message.field:
            return
        entries = {entry.name: entry for entry in message.nested_type}
        yield "\n| field | no. | type | |\n| --- | --- | --- | --- |"
        for index, field in enumerate(message.field):
            text = _cell(self.comment(*path, FIELDS, index))
            if field.HasField("oneof_index") and not field.proto3_optional:
                text += f" *(one of `{message.oneof_decl[field.oneof_index].name}`)*"
            yield f"| `{field.name}` | {field.number} | {_type(field, entries)} | {text} |"
        if message.reserved_range:
            numbers = [str(number) for r in message.reserved_range for number in range(r.start, r.end)]
            yield f"\nReserved: {', '.join(numbers)}."

    def _enum(self, enum: EnumDescriptorProto, path: Path) -> Iterator[str]:
        yield f"\n### {enum.name}\n"
        yield from _prose(self.comment(*path))
        yield "\n| value | no. | |\n| --- | --- | --- |"
        for index, value in enumerate(enum.value):
            yield f"| `{value.name}` | {value.number} | {_cell(self.comment(*path, VALUES, index))} |"
        if enum.reserved_range:
            numbers = [str(number) for r in enum.reserved_range for number in range(r.start, r.end + 1)]
            yield f"\nReserved: {', '.join(numbers)}."


def _prose(lines: list[str]) -> Iterator[str]:
    """Paragraphs as they are; indented lines, which are examples and tables, as code."""
    code = False
    for index, line in enumerate(lines):
        following = next((later for later in lines[index:] if later), "")
        if line and line.startswith("  ") != code:
            code = not code
            yield "```text" if code else "```\n"
        if line or not (code and not following.startswith("  ")):
            yield line.removeprefix("  ") if code else line
    if code:
        yield "```"


def _cell(lines: list[str]) -> str:
    """Return a comment in one line of a table; an example in it is code."""
    paragraphs = re.split(r"\n\n+", "\n".join(lines))
    text = "<br>".join(paragraph.replace("\n", " ") for paragraph in paragraphs).replace("|", "\\|")
    return re.sub(r"Example: (\{.*\})$", r"Example: `\1`", text)


def _type(field: FieldDescriptorProto, entries: dict[str, DescriptorProto]) -> str:
    entry = entries.get(field.type_name.rpartition(".")[2])
    if entry is not None and entry.options.map_entry:
        key, value = (_type(part, {}) for part in entry.field)
        return f"map of {key} to {value}"
    if field.type_name:
        name = _link(field.type_name)
    else:
        name = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def _link(type_name: str) -> str:
    package, _, name = type_name.removeprefix(".").rpartition(".")
    return f"[{name}](#{name.lower()})" if package == PACKAGE else f"`{package}.{name}`"


def main() -> None:
    """Read an image from the standard input and write the page to the standard output."""
    image = FileDescriptorSet.FromString(sys.stdin.buffer.read())
    files = {file.name: File(file) for file in image.file}
    lines = [INTRODUCTION.rstrip("\n")]
    for name in FILES:
        file = files[f"{PACKAGE.replace('.', '/')}/{name}.proto"]
        lines += [f"\n## {name}.proto\n", *_prose(file.comment(12)), *file.page()]
    print(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)))


if __name__ == "__main__":
    main()
