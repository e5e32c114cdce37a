"""Puts the Python client behind the protocol of `README.md`: one JSON object a line, in and out.

python -m tests.conformance.python_runner HOST:PORT
"""

from __future__ import annotations

import json
import sys
from typing import Any, Protocol

import grpc
from basicaer.client import BasicAerError, BasicAerJob, BasicAerProvider, NoiseModel, Output, Outputs
from basicaer.v1 import job_pb2, job_service_pb2
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

assert job_service_pb2.DESCRIPTOR  # its import makes every message known to the pool


class Replies(Protocol):
    """Whatever replies to requests."""

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out one request."""


class PythonRunner:
    """One method for each operation of the protocol."""

    def __init__(self, provider: BasicAerProvider) -> None:
        self._provider = provider

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out one request."""
        arguments = {name: value for name, value in request.items() if name != "op"}
        try:
            reply: dict[str, Any] = getattr(self, request["op"])(**arguments)
        except BasicAerError as error:
            cause = error.__cause__
            code = cause.code().name if isinstance(cause, grpc.Call) else ""
            return {"error": {"code": code, "reason": error.reason, "metadata": error.metadata}}
        return reply

    def encode(self, message: str, json: dict[str, Any]) -> dict[str, Any]:
        """JSON to bytes."""
        made = json_format.ParseDict(json, self._message(message))
        return {"hex": made.SerializeToString(deterministic=True).hex()}

    def decode(self, message: str, hex: str) -> dict[str, Any]:  # noqa: A002 - the protocol's name
        """Bytes to JSON."""
        made = self._message(message)
        made.ParseFromString(bytes.fromhex(hex))
        return {"json": json_format.MessageToDict(made)}

    def submit(self, spec: dict[str, Any], request_id: str | None = None) -> dict[str, Any]:
        """A job."""
        message = json_format.ParseDict(spec, job_pb2.JobSpec())
        options = {field.name: value for field, value in message.options.ListFields()}
        if "precision" in options:
            options["precision"] = (
                job_pb2.Precision.Name(options["precision"]).removeprefix("PRECISION_").lower()
            )
        if "method" in options:
            name = job_pb2.SimulationMethod.Name(options["method"])
            options["method"] = name.removeprefix("SIMULATION_METHOD_").lower()
        if "noise_model" in options:
            options["noise_model"] = NoiseModel(options["noise_model"])
        # The client has both in one number.
        if stream := options.pop("seed_stream", 0):
            options["seed_simulator"] |= stream << 64
        backend = self._provider.get_backend(message.backend_name)
        job = backend.run(list(message.programs), labels=message.labels, request_id=request_id, **options)
        return {"job_id": job.job_id()}

    def watch(
        self, job_id: str, after_sequence: int | None = None, until: str | None = None
    ) -> dict[str, Any]:
        """The durable events."""
        seen = []
        for event in self._job(job_id).events(after_sequence):
            if event.status is not None:
                seen.append({"sequence": event.sequence, "status": event.status.name})
                if event.status.name == until:
                    break
        return {"events": seen}

    def counts(self, job_id: str) -> dict[str, Any]:
        """The counts of every program."""
        result = self._job(job_id).result(arrays=False)
        return {"counts": [result.get_counts(index) for index in range(len(result.results))]}

    def outputs(self, job_id: str) -> dict[str, Any]:
        """The values of every program's outputs."""
        result = self._job(job_id).result(arrays=False)
        programs = [result.get_outputs(index) for index in range(len(result.results))]
        return {"outputs": [seen_outputs(outputs) for outputs in programs]}

    def methods(self, job_id: str) -> dict[str, Any]:
        """How the state of every program was held, and why so."""
        result = self._job(job_id).result(arrays=False)
        return {
            "methods": [
                {"method": each.simulation_method.upper(), "reason": each.reason} for each in result.results
            ]
        }

    def state(self, job_id: str, part: str, at: list[int]) -> dict[str, Any]:
        """Some amplitudes."""
        index, name = part.split("/")
        array = self._job(job_id).read_array(int(index), name).reshape(-1)
        return {
            "shape": list(array.shape),
            "amplitudes": [[float(array[i].real), float(array[i].imag)] for i in at],
        }

    def cancel(self, job_id: str, reason: str = "") -> dict[str, Any]:
        """A job that stops."""
        return {"cancelled": self._job(job_id).cancel(reason)}

    def _job(self, job_id: str) -> BasicAerJob:
        return self._provider.retrieve_job(job_id)

    @staticmethod
    def _message(name: str) -> Message:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(f"basicaer.v1.{name}")
        return message_factory.GetMessageClass(descriptor)()


def seen_outputs(outputs: Outputs) -> list[dict[str, Any]]:
    """A program's outputs as the protocol has them."""
    return [
        {
            "values": {
                output.name: _plain(output, value)
                for output, value in zip(outputs.values(), values, strict=True)
            },
            "count": count,
        }
        for values, count in outputs.counts.items()
    ]


def _plain(output: Output, value: Any) -> Any:
    """A value as the protocol has it."""
    if isinstance(value, tuple):
        return [_plain(output, element) for element in value]
    if output.kind == "bit":
        return format(value, f"0{output.width or 1}b")
    if output.kind == "complex":
        return [value.real, value.imag]
    return str(value) if output.kind in ("int", "uint") else value


def serve(runner: Replies) -> None:
    """Answers line by line until the input ends."""
    for line in sys.stdin:
        print(json.dumps(runner.reply(json.loads(line))), flush=True)


if __name__ == "__main__":
    with BasicAerProvider(sys.argv[1]) as connected:
        serve(PythonRunner(connected))
