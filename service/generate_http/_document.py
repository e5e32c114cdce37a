"""The OpenAPI document of a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, MethodDescriptorProto

from generate_http._contract import Contract
from generate_http._shapes import (
    IDEMPOTENCY_KEY,
    LAST_EVENT_ID,
    PREFER,
    PROBLEM,
    RANGES,
    RESULT_HEADERS,
    SCALARS,
    WELL_KNOWN,
    Field,
    Json,
)

SERVICE = "basicaer.v1.JobService"
ABOUT = """\
Runs quantum programs as jobs: the contract `basicaer.v1`, of which gRPC is the other door, in protobuf's JSON
form. A call that fails answers with a problem (RFC 9457); a job's failure is data, in `Job.error`.

Where the server asks who calls, each call carries `Authorization: Bearer TOKEN`. docs/http.md tells how jobs
are followed and how results are read."""


class Document:
    """The OpenAPI document of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._schemas: Json = {}
        self._paths: dict[str, Json] = {}

    def add(self, rpc: str, verb: str, template: str, body: str) -> None:
        """Describe a rule's operation."""
        contract = self._contract
        method = contract.methods[f"{SERVICE}.{rpc}"]
        request = contract.messages[method.input_type]
        bound = re.findall(r"{(\w+)(?:=[^}]*)?}", template)
        comment = contract.comment(method)
        operation: Json = {
            "operationId": rpc if "{part" not in template else f"{rpc}Part",
            "summary": comment.partition("\n\n")[0].replace("\n", " "),
            "description": comment,
            "parameters": list(self._parameters(request, bound, body)),
        }
        if body:
            operation["requestBody"] = self._body(request, body)
        self._streams(operation, rpc, method, bound)
        operation["responses"]["default"] = {
            "description": "What is wrong.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        self._paths.setdefault(re.sub(r"=[^}]*", "", template), {})[verb] = operation

    def _parameters(self, request: DescriptorProto, bound: list[str], body: str) -> Iterator[Json]:
        for field in request.field:
            if (body == "*" and field.name not in bound) or field.name == body:
                continue
            path = field.name in bound
            schema = self._field(field)
            parameter: Json = {
                "name": field.name,
                "in": "path" if path else "query",
                "description": schema.pop("description", ""),
                "schema": schema,
            }
            if path:
                parameter["required"] = True
            if schema.get("type") == "object":
                parameter |= {"style": "deepObject", "explode": True}
            yield parameter

    def _body(self, request: DescriptorProto, body: str) -> Json:
        field = next((one for one in request.field if one.name == body), None)
        if field is None:
            schema = self._properties([one for one in request.field if one.name != "job_id"])
            return {"content": {"application/json": {"schema": schema}}}
        reference = self._type(field)
        return {
            "required": True,
            "description": self._contract.comment(field),
            "content": {
                "application/json": {"schema": reference},
                "application/protobuf": {
                    "schema": {"description": f"{field.type_name[1:]}, serialized.", "type": "string"}
                },
            },
        }

    def _streams(self, operation: Json, rpc: str, method: MethodDescriptorProto, bound: list[str]) -> None:
        """Add how the answers come: as a message, as events, or as bytes."""
        answer = {"schema": self._reference(method.output_type)}
        fields = {field.type_name for field in self._contract.messages[method.output_type].field}
        events = {
            "schema": {
                "type": "string",
                "description": f"Server-sent events, whose data are {answer['schema']['$ref']} in JSON. "
                "The id of a durable event is its sequence; heartbeats are comments.",
            }
        }
        responses = operation["responses"] = {}
        if not method.server_streaming:
            responses["200"] = {"description": "Done.", "content": {"application/json": answer}}
        elif ".basicaer.v1.ResultChunk" in fields:
            # The chunks' own fields are HTTP's to say.
            own = ("read_offset", "read_limit", "chunk_size", "etag")
            kept = [one for one in operation["parameters"] if one["name"] not in own]
            operation["parameters"] = [
                one for one in kept if one["name"] != "part" or "part" in bound
            ] + RANGES
            whole = {"description": "All of it.", "headers": RESULT_HEADERS, "content": self._bytes(bound)}
            responses |= {
                "200": whole,
                "206": {**whole, "description": "The range that was asked for."},
                "304": {"description": "The ETag is one of those in If-None-Match."},
                "416": {"description": "The range lies beyond the end."},
            }
        elif ".basicaer.v1.Result" in fields:
            operation["parameters"].append(PREFER)
            responses["200"] = {
                "description": "The job has ended; or, when events are accepted, its events.",
                "content": {"application/json": answer, "text/event-stream": events},
            }
            responses["202"] = {
                "description": "The job goes on: call again with the same Idempotency-Key, or ask for it.",
                "content": {"application/json": answer},
            }
        else:
            operation["parameters"].append(LAST_EVENT_ID)
            responses["200"] = {"description": "Its events.", "content": {"text/event-stream": events}}
            responses["204"] = {"description": "After the Last-Event-ID nothing comes any more."}
        if any(one["name"] == "request_id" for one in operation["parameters"]):
            operation["parameters"].append(IDEMPOTENCY_KEY)

    def _bytes(self, bound: list[str]) -> Json:
        if "part" in bound:
            return {
                "application/octet-stream": {
                    "schema": {
                        "type": "string",
                        "description": "The array's bytes, as `Array` describes them.",
                    }
                },
                "application/x-npy": {
                    "schema": {
                        "type": "string",
                        "description": "The same as a file of NumPy's, for a part's name with .npy after it.",
                    }
                },
            }
        return {
            "application/json": {"schema": self._reference(".basicaer.v1.Result")},
            "application/protobuf": {"schema": {"type": "string", "description": "The Result, serialized."}},
        }

    def _field(self, field: Field) -> Json:
        description = self._contract.comment(field)
        schema = self._type(field)
        message = self._contract.messages.get(field.type_name)
        if message is not None and message.options.map_entry:
            schema = {"type": "object", "additionalProperties": self._type(message.field[1])}
        elif field.label == Field.LABEL_REPEATED:
            schema = {"type": "array", "items": schema}
        return {**schema, "description": description} if description else schema

    def _type(self, field: Field) -> Json:
        if field.type not in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
            return dict(SCALARS[field.type])
        return dict(WELL_KNOWN.get(field.type_name) or self._reference(field.type_name))

    def _reference(self, type_name: str) -> Json:
        name = type_name.rpartition(".")[2]
        if name not in self._schemas:
            # A message may lie in itself.
            self._schemas[name] = {}
            enum = self._contract.enums.get(type_name)
            self._schemas[name] = self._enumeration(enum) if enum else self._object(type_name)
        return {"$ref": f"#/components/schemas/{name}"}

    def _enumeration(self, enum: EnumDescriptorProto) -> Json:
        lines = [f"- `{value.name}`: {self._contract.comment(value)}" for value in enum.value]
        text = "\n".join([self._contract.comment(enum), "", *lines])
        return {"type": "string", "enum": [value.name for value in enum.value], "description": text}

    def _object(self, type_name: str) -> Json:
        message = self._contract.messages[type_name]
        schema = self._properties(message.field)
        if text := self._contract.comment(message):
            schema["description"] = text
        return schema

    def _properties(self, fields: Any) -> Json:
        return {"type": "object", "properties": {field.json_name: self._field(field) for field in fields}}

    def make(self) -> Json:
        """Return the document."""
        self._reference(".basicaer.v1.Diagnostics")
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "BasicAer",
                "version": "v1",
                "description": ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "security": [{}, {"bearer": []}],
            "paths": dict(sorted(self._paths.items())),
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "schemas": {**dict(sorted(self._schemas.items())), "Problem": PROBLEM},
            },
        }
