"""What makes a job acceptable, and what is told of it from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from basicaer.service.errors import exceeds_memory, option_invalid, result_too_large
from basicaer.service.execution._interface import PreparedJob
from basicaer.v1 import job_pb2

__all__ = ["accept"]

_MAX_LABELS = 32
_MAX_LABEL_LENGTH = 63


def accept(
    spec: job_pb2.JobSpec,
    prepare: Callable[[], PreparedJob],
    *,
    max_memory_bytes: int,
    max_metadata_bytes: int,
    most_result_bytes: int | None,
) -> tuple[job_pb2.Job, PreparedJob]:
    """Return the job of a spec, without what its acceptance gives it; and what `prepare` makes of the spec.

    `max_memory_bytes` is what each node has.

    Raises:
        ServiceError: OPTION_INVALID, JOB_EXCEEDS_MEMORY, RESULT_TOO_LARGE, or as `prepare`.
    """
    _check_labels(spec.labels)
    _check_metadata(spec, max_metadata_bytes)
    prepared = prepare()
    if prepared.required_bytes > max_memory_bytes:
        advice = prepared.memory_advice(max_memory_bytes)
        raise exceeds_memory(prepared.required_bytes, max_memory_bytes, advice)
    if most_result_bytes is not None and prepared.result_bytes > most_result_bytes:
        raise result_too_large(prepared.result_bytes, most_result_bytes)
    job = job_pb2.Job(
        backend_name=spec.backend_name,
        status=job_pb2.JOB_STATUS_INITIALIZING,
        num_programs=prepared.num_programs,
        shots=prepared.shots,
        required_bytes=prepared.nodes * prepared.required_bytes,
        nodes=prepared.nodes if prepared.nodes > 1 else 0,
        warnings=prepared.warnings,
    )
    if spec.labels:
        job.labels.update(spec.labels)
    if spec.HasField("metadata"):
        job.metadata.CopyFrom(spec.metadata)
    return job, prepared


def _check_labels(labels: Mapping[str, str]) -> None:
    if not labels:
        return
    if len(labels) > _MAX_LABELS:
        raise option_invalid("spec.labels", f"A job has at most {_MAX_LABELS} labels, not {len(labels)}.")
    for key, value in labels.items():
        if not key or len(key) > _MAX_LABEL_LENGTH or len(value) > _MAX_LABEL_LENGTH:
            raise option_invalid(
                "spec.labels",
                f"A label's key has 1 to {_MAX_LABEL_LENGTH} characters and its value at most as many;"
                f" {key[:_MAX_LABEL_LENGTH]!r} breaks that.",
            )


def _check_metadata(spec: job_pb2.JobSpec, most: int) -> None:
    if not spec.HasField("metadata"):
        return
    size = spec.metadata.ByteSize()
    if size > most:
        raise option_invalid(
            "spec.metadata",
            f"A job's metadata takes at most {most:,} bytes, not {size:,}: it comes back with the job each"
            " time. Put what belongs to a circuit into the circuit's metadata, which comes back with its"
            " result alone.",
        )
