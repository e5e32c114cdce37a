"""The messages of a contract, with their comments."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

# Field numbers of descriptor.proto, of which the paths of comments are made.
MESSAGES, ENUMS, SERVICES, FIELDS, VALUES, METHODS = 4, 5, 6, 2, 2, 2


class Contract:
    """The messages of an image, with their comments."""

    def __init__(self, image: FileDescriptorSet) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        self.enums: dict[str, EnumDescriptorProto] = {}
        self.methods: dict[str, MethodDescriptorProto] = {}
        self._comments: dict[int, str] = {}
        self._kept: list[object] = []
        for file in image.file:
            found = {tuple(one.path): one.leading_comments for one in file.source_code_info.location}
            for index, message in enumerate(file.message_type):
                self._message(f".{file.package}", message, (MESSAGES, index), found)
            for index, enum in enumerate(file.enum_type):
                self._enum(f".{file.package}", enum, (ENUMS, index), found)
            for index, service in enumerate(file.service):
                for number, method in enumerate(service.method):
                    self.methods[f"{file.package}.{service.name}.{method.name}"] = method
                    self._note(method, (SERVICES, index, METHODS, number), found)

    def _message(self, scope: str, message: DescriptorProto, path: tuple[int, ...], found: Any) -> None:
        name = f"{scope}.{message.name}"
        self.messages[name] = message
        self._note(message, path, found)
        for index, field in enumerate(message.field):
            self._note(field, (*path, FIELDS, index), found)
        for index, nested in enumerate(message.nested_type):
            self._message(name, nested, (*path, 3, index), found)
        for index, enum in enumerate(message.enum_type):
            self._enum(name, enum, (*path, 4, index), found)

    def _enum(self, scope: str, enum: EnumDescriptorProto, path: tuple[int, ...], found: Any) -> None:
        self.enums[f"{scope}.{enum.name}"] = enum
        self._note(enum, path, found)
        for index, value in enumerate(enum.value):
            self._note(value, (*path, VALUES, index), found)

    def _note(self, what: object, path: tuple[int, ...], found: dict[tuple[int, ...], str]) -> None:
        # Kept, so that no other object gets its id.
        self._kept.append(what)
        self._comments[id(what)] = _prose(found.get(path, ""))

    def comment(self, what: object) -> str:
        """Return what a message, a field, an enum, a value or a method says of itself."""
        return self._comments[id(what)]


def _prose(comment: str) -> str:
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip("\n").split("\n"))
