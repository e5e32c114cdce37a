"""The way to each field that a request can have, made from the descriptors."""

from __future__ import annotations

from typing import Any

from basicaer.v1 import job_service_pb2 as pb

__all__ = ["METHODS", "fields_of", "lists"]

METHODS = pb.DESCRIPTOR.services_by_name["JobService"].methods


def fields_of(root: Any) -> dict[str, tuple[list[Any], Any]]:
    """Returns a shortest path of fields to each field of each message that `root` can hold, and the field."""
    found: dict[str, tuple[list[Any], Any]] = {}
    waiting: list[tuple[list[Any], Any]] = [([], root)]
    seen = {root.full_name}
    while waiting:
        path, message = waiting.pop(0)
        for descriptor in message.fields:
            found[descriptor.full_name] = (path, descriptor)
            child = descriptor.message_type
            if child is not None and child.full_name not in seen:
                seen.add(child.full_name)
                waiting.append(([*path, descriptor], child))
    return found


def lists() -> dict[str, tuple[Any, list[Any], Any]]:
    """Returns a request's type, the path and the field itself, for each list that any request can have."""
    return {
        name: (method.input_type, path, descriptor)
        for method in METHODS
        for name, (path, descriptor) in fields_of(method.input_type).items()
        if descriptor.is_repeated
    }
