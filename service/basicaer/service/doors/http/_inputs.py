"""A request's path, query, headers and body as the bytes of the contract's message, which the readers of all
doors then bound and parse.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from basicaer.service.doors.http._contract import Rule
from basicaer.service.doors.http._documents import JSON
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.wire import DEEPEST, varint
from basicaer.v1 import error_reason_pb2 as reasons
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

__all__ = ["MOST_JSON", "Inputs", "JsonReader", "UnsupportedMediaTypeError"]

PROTOBUF = "application/protobuf"
MOST_JSON = 2 * 1024 * 1024
"""Bytes of a JSON body: Python's parser holds the loop for some ten milliseconds at that."""
_MOST_VALUES = 200_000
_MOST_PARAMETERS = 1_000
_AT_ONCE = 4 * 1024
_LENGTH_DELIMITED = 2
# How protobuf's reader tells where in a message it was.
_WAY = re.compile(r"Failed to parse (\w+) field: ")
_PLACE = re.compile(r' at "?\w+Request\.([\w.\[\]]*[\w\]])')
_MAP_ENTRY = re.compile(r"(\w+)\[(.*)\]", re.DOTALL)


class UnsupportedMediaTypeError(Exception):
    """The body is of a kind that isn't read."""


class JsonReader:
    """Parses JSON bodies: long ones on one thread, so that no more than one is parsed beside the loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="json-reader")

    async def read(self, kind: type[Message], values: dict[str, Any], body: bytes | None, name: str) -> bytes:
        """Return a message, serialized: of `values`, and of a body that is the field `name`, or all for "*".

        Raises:
            ServiceError: OPTION_INVALID, PROGRAM_TOO_LARGE.
        """
        if body is None or len(body) <= _AT_ONCE:
            return _message(kind, values, body, name)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _message, kind, values, body, name)

    def close(self) -> None:
        """Parse no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Inputs:
    """Reads the requests of one rule."""

    def __init__(self, rule: Rule, kind: type[Message], reader: JsonReader, most_bytes: int) -> None:
        self._rule = rule
        self._kind = kind
        self._reader = reader
        self._most = most_bytes
        self._fields: Mapping[str, Any] = kind.DESCRIPTOR.fields_by_name
        # By both names that JSON knows.
        self._query = {name: self._fields[name] for name in rule.in_query}
        self._query |= {field.camelcase_name: field for field in self._query.values()}

    async def read(self, exchange: Exchange) -> bytes:
        """Return the request's message, serialized.

        Raises:
            ServiceError: OPTION_INVALID, PROGRAM_TOO_LARGE.
            UnsupportedMediaTypeError: The body is neither JSON nor a message.
        """
        values = self._values(exchange)
        name = self._rule.body
        if not name:
            return await self._reader.read(self._kind, values, None, "")
        content = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content == PROTOBUF and name != "*":
            rest = await self._reader.read(self._kind, values, None, "")
            body = await exchange.body(self._most)
            key = self._fields[name].number << 3 | _LENGTH_DELIMITED
            return b"".join((varint(key), varint(len(body)), body, rest))
        optional = name == "*" and exchange.headers.get("content-length", "0") == "0"
        if content != JSON and not (optional and "transfer-encoding" not in exchange.headers):
            raise UnsupportedMediaTypeError
        body = await exchange.body(min(MOST_JSON, self._most))
        return await self._reader.read(self._kind, values, body or b"{}" if name == "*" else body, name)

    def _values(self, exchange: Exchange) -> dict[str, Any]:
        """Return what is given outside of the body, as protobuf's JSON form has it."""
        values: dict[str, Any] = {name: exchange.path_fields[name] for name in self._rule.in_path}
        query: bytes = exchange.scope["query_string"]
        try:
            pairs = parse_qsl(
                query.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_PARAMETERS,
            )
        except ValueError:
            raise option_invalid("query", "The query can't be read: it isn't UTF-8, or too long.") from None
        for key, text in pairs:
            self._add(values, key, text)
        if "request_id" in self._query:
            key = exchange.headers.get("idempotency-key", "")
            # The header's own form is a string in quotes; most clients send it without.
            key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
            if key and values.setdefault("request_id", key) != key:
                raise option_invalid("request_id", "The request id and the Idempotency-Key differ; give one.")
        if "after_sequence" in self._query and (last := exchange.headers.get("last-event-id")):
            values["after_sequence"] = last
        return values

    def _add(self, values: dict[str, Any], key: str, text: str) -> None:
        entry = _MAP_ENTRY.fullmatch(key)
        field = self._query.get(entry[1] if entry else key)
        if field is None:
            known = ", ".join(self._rule.in_query) or "none"
            raise option_invalid(key[:64], f"There is no parameter {key[:64]!r} here; there are: {known}.")
        mapped = field.message_type is not None and field.message_type.GetOptions().map_entry
        if bool(entry) != bool(mapped):
            form = f"{field.name}[KEY]" if mapped else field.name
            raise option_invalid(field.name, f"Give {field.name} as {form}=VALUE.")
        if entry:
            values.setdefault(field.name, {})[entry[2]] = text
        elif field.is_repeated:
            values.setdefault(field.name, []).append(text)
        elif field.name in values:
            raise option_invalid(field.name, f"{field.name} is given twice.")
        elif field.type == FieldDescriptor.TYPE_BOOL:
            values[field.name] = {"true": True, "false": False}.get(text, text)
        else:
            values[field.name] = text


def _message(kind: type[Message], values: dict[str, Any], body: bytes | None, name: str) -> bytes:
    if body is not None:
        read = _json(body)
        if name != "*":
            values = {**values, name: read}
        elif twice := sorted(values.keys() & read.keys()):
            raise option_invalid(twice[0], f"{twice[0]} is in the path, not in the body.")
        else:
            values = {**read, **values}
    try:
        made = json_format.ParseDict(values, kind(), max_recursion_depth=DEEPEST)
        return made.SerializeToString()
    # protobuf's reader lets some of what Python raises through, at values that it didn't expect.
    except (json_format.Error, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise _unfit(kind, str(error), name) from None
    except RecursionError:
        raise _too_deep() from None


def _unfit(kind: type[Message], told: str, name: str) -> ServiceError:
    place, way = _PLACE.search(told), _WAY.findall(told)
    field = (place[1] if place else ".".join(way)).removeprefix(f"{name}.") or "body"
    why = _WAY.sub("", told).rstrip(".")
    return option_invalid(
        field[:128], f"The request is no {kind.DESCRIPTOR.name} in JSON, at {field}: {why}."
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise option_invalid("body", f"The body is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise option_invalid("body", "The body is not a JSON object.")
    try:
        _bound(read)
    except UnicodeEncodeError:
        raise option_invalid("body", "The body has a name with half a surrogate pair in it.") from None
    return read


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is a string in JSON: "{name}"')


def _bound(read: dict[str, Any]) -> None:
    """Refuse what would keep protobuf's reader busy for seconds, and names at which it fails unseemly.

    Raises:
        ServiceError: PROGRAM_TOO_LARGE.
        UnicodeEncodeError: A name can't be encoded.
    """
    count = 0
    open_values: list[Any] = [read]
    while open_values:
        value = open_values.pop()
        count += len(value)
        if count > _MOST_VALUES:
            raise ServiceError(
                reasons.ERROR_REASON_PROGRAM_TOO_LARGE,
                f"The body has more than {_MOST_VALUES:,} values. Send {PROTOBUF}, or OpenQASM text.",
                metadata={"limit": "json_values", "max": str(_MOST_VALUES)},
            )
        if isinstance(value, dict):
            "".join(value).encode()
        inner = value.values() if isinstance(value, dict) else value
        open_values += [one for one in inner if isinstance(one, dict | list)]


def _too_deep() -> ServiceError:
    return option_invalid("body", f"The body has more than {DEEPEST} objects and lists in one another.")
