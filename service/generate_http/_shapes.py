"""How protobuf's JSON form shows each type, and what HTTP adds to the contract: headers, problems."""

from __future__ import annotations

from typing import Any, TypeAlias

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

Json: TypeAlias = dict[str, Any]
Field = FieldDescriptorProto

# How protobuf's JSON form shows each type.
INT32: Json = {"type": "integer", "format": "int32"}
UINT32: Json = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
INT64: Json = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
UINT64: Json = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
NUMBER: Json = {
    "oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}],
    "format": "double",
}
SCALARS: dict[int, Json] = {
    Field.TYPE_DOUBLE: NUMBER,
    Field.TYPE_FLOAT: NUMBER,
    Field.TYPE_INT32: INT32,
    Field.TYPE_SINT32: INT32,
    Field.TYPE_SFIXED32: INT32,
    Field.TYPE_UINT32: UINT32,
    Field.TYPE_FIXED32: UINT32,
    Field.TYPE_INT64: INT64,
    Field.TYPE_SINT64: INT64,
    Field.TYPE_SFIXED64: INT64,
    Field.TYPE_UINT64: UINT64,
    Field.TYPE_FIXED64: UINT64,
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
WELL_KNOWN: dict[str, Json] = {
    ".google.protobuf.Duration": {
        "type": "string",
        "format": "duration",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?s$",
    },
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.Struct": {"type": "object"},
    ".google.protobuf.Value": {},
    ".google.protobuf.ListValue": {"type": "array"},
}
PROBLEM: Json = {
    "type": "object",
    "description": "What is wrong (RFC 9457), with what gRPC's callers get as google.rpc's error details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "description": "A tag URI that ends in the reason, or about:blank where the contract has none.",
        },
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "The cause and what to do about it, for people."},
        "reason": {"type": "string", "description": "The name of an ErrorReason, without its prefix."},
        "metadata": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Further facts, as in the examples of ErrorReason.",
        },
        "fieldViolations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "description", "reason")},
            },
        },
        "retryDelay": {
            **WELL_KNOWN[".google.protobuf.Duration"],
            "description": "When to call again, where that helps; Retry-After says it in whole seconds.",
        },
        "diagnostics": {"$ref": "#/components/schemas/Diagnostics"},
    },
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The request id: the same key with the same job returns the same job.",
    "schema": {"type": "string", "maxLength": 128},
}
LAST_EVENT_ID: Json = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "What EventSource sends when it connects again; goes before after_sequence.",
    "schema": {"type": "integer", "minimum": 0},
}
PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=SECONDS` (RFC 7240): how long to wait for the job's end, 30 s unless given.",
    "schema": {"type": "string"},
}
RANGES: list[Json] = [
    {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
    for name, text in (
        ("Range", "One range of bytes (RFC 9110, section 14)."),
        ("If-Range", "An ETag: the range counts only when the part still has it."),
        ("If-None-Match", "ETags: when the part has one of them, it isn't sent again (304)."),
    )
]
RESULT_HEADERS: Json = {
    "ETag": {"description": "Identifies the bytes.", "schema": {"type": "string"}},
    "Repr-Digest": {
        "description": "The CRC-32C of the whole part (RFC 9530); not for .npy.",
        "schema": {"type": "string"},
    },
}
