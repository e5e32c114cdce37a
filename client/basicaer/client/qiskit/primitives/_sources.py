"""Where a primitive runs its jobs, and how it submits one."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from basicaer.client import _errors as errors
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.jobs._provider import BasicAerBackend as PlainBackend
from basicaer.client.jobs._provider import BasicAerJob as PlainJob
from basicaer.client.jobs._provider import BasicAerProvider as PlainProvider
from basicaer.client.qiskit._aer import AerSimulator
from basicaer.client.qiskit._backend import BasicAerBackend
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit._labels import noise_of_programs
from basicaer.client.qiskit._provider import BasicAerProvider
from basicaer.client.qiskit._run_options import noise_of, server_options
from basicaer.client.results._result import Result
from basicaer.v1 import job_pb2, result_pb2

__all__ = ["Source", "backend_of", "noise_for", "only_source", "source_like", "submit"]

Source = BasicAerProvider | BasicAerBackend | PlainProvider | PlainBackend
"""Where a primitive runs: a server, or one of its backends."""

_DEFAULT_BACKEND = "qasm_simulator"
# They run a circuit once, whatever the shots.
_OF_STATES = ("statevector_simulator", "unitary_simulator")
# What a primitive says itself, for each PUB or in the form of its result.
_OWN_OPTIONS = ("shots", "memory")


class _NothingToRun(PlainJob):
    """A job without programs, which no server has: it is done, and its result is empty."""

    def __init__(self, backend: PlainBackend, job_id: str) -> None:
        super().__init__(backend, job_id, Result(result_pb2.Result(success=True)))

    def _fetch(self, timeout: float | None = None) -> job_pb2.Job:
        return job_pb2.Job(job_id=self.job_id(), status=job_pb2.JOB_STATUS_DONE)


def only_source(provider: Any, mode: Any, backend: Any) -> Source:
    """Return the one of a primitive's arguments that says where it runs.

    Raises:
        TypeError: Unless exactly one is given, and is a provider or a backend of a server.
        OptionInvalidError: For a backend that draws no outcomes.
    """
    given = [source for source in (provider, mode, backend) if source is not None]
    if len(given) != 1:
        raise TypeError(
            f"a primitive runs on one provider or backend, but {len(given)} are given; "
            "write SamplerV2(provider), SamplerV2(mode=backend) or SamplerV2(backend=backend)"
        )
    [source] = given
    if not isinstance(source, Source):
        raise TypeError(
            "a BasicAerProvider or one of its backends is needed, as in SamplerV2(provider), not a "
            f"{type(source).__module__}.{type(source).__qualname__}"
        )
    if isinstance(source, BasicAerBackend | PlainBackend) and source.name in _OF_STATES:
        with translated():
            raise errors.OptionInvalidError(
                f"The primitives draw outcomes and average over shots, but {source.name} runs a circuit "
                f"once and returns its state or matrix; give {_DEFAULT_BACKEND}, or the provider.",
                reason="OPTION_INVALID",
                metadata={"field": "backend_name"},
            )
    return source


def backend_of(source: Source, options: Mapping[str, Any] | None = None) -> BasicAerBackend | PlainBackend:
    """Return the backend that runs a primitive's jobs; the first time it may ask the server.

    With `options`, those of `AerSimulator`, it is one of these.

    Raises:
        OptionInvalidError: One of the options can't be followed.
    """
    if options:
        if isinstance(source, AerSimulator):
            changed = copy.copy(source)
            changed.set_options(**options)
            return changed
        if isinstance(source, BasicAerBackend | PlainBackend):
            return AerSimulator(source.provider, **options)
        return AerSimulator(source, **options)
    if isinstance(source, BasicAerProvider | PlainProvider):
        return source.get_backend(_DEFAULT_BACKEND)
    return source


def source_like(backend: Any) -> Source:
    """Return a simulator of another's backend, or the backend if it is a server's.

    Raises:
        TypeError, OptionInvalidError, QiskitError: See `AerSimulator.from_backend`.
    """
    return backend if isinstance(backend, Source) else AerSimulator.from_backend(backend)


def noise_for(backend: BasicAerBackend | PlainBackend, options: Mapping[str, Any]) -> NoiseModel | None:
    """Return the noise model of a primitive's job.

    Raises:
        OptionInvalidError: It is none.
    """
    own = backend.options.get("noise_model") if isinstance(backend, BasicAerBackend) else None
    return noise_of(options.get("noise_model", own))


def submit(
    backend: BasicAerBackend | PlainBackend, programs: Sequence[job_pb2.Program], options: Mapping[str, Any]
) -> PlainJob:
    """Submit a primitive's programs as one job; without any, the job is done and its result empty.

    Raises:
        QiskitError: As by `BasicAerBackend.run`.
    """
    plain = backend._client if isinstance(backend, BasicAerBackend) else backend
    arguments = {"labels", "metadata", "request_id", "timeout"}
    beside = {name: options[name] for name in arguments & options.keys()}
    chosen = {name: value for name, value in options.items() if name not in arguments}
    if isinstance(backend, BasicAerBackend):
        defaults = {name: value for name, value in backend.options.items() if name not in _OWN_OPTIONS}
        # The names without a default of the backend's are known too.
        known = dict.fromkeys(backend._option_names) | defaults
        chosen = server_options(backend._option_names, known, chosen)
    with translated():
        if not programs:
            return _NothingToRun(plain, str(uuid.uuid4()))
        if isinstance(model := chosen.get("noise_model"), NoiseModel):
            chosen["noise_model"] = noise_of_programs(model, programs)
        timeout = beside.pop("timeout", None)
        job = plain.new_job(programs, **beside, **chosen)
        job.submit(timeout)
        return job
