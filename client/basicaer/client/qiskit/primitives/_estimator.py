"""The native estimator: the server computes expectation values where the state is, in one job."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit.primitives._data import DataBin
from basicaer.client.qiskit.primitives._job import BasicAerPrimitiveJob
from basicaer.client.qiskit.primitives._options import EstimatorOptions, options_from, run_options
from basicaer.client.qiskit.primitives._pubs import observable_to_proto, programs_of
from basicaer.client.qiskit.primitives._sources import (
    Source,
    backend_of,
    noise_for,
    only_source,
    source_like,
    submit,
)
from basicaer.client.results._result import Result
from basicaer.v1 import job_pb2
from qiskit.primitives import BaseEstimatorV2, EstimatorPubLike, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

__all__ = ["EstimatorV2", "programs_of_pub"]


class EstimatorV2(BaseEstimatorV2):
    """Estimates expectation values, as Qiskit's `StatevectorEstimator` does, on the server.

    With the precision 0 they are exact, or means over `shots` shots for a circuit with random outcomes.
    Otherwise normally distributed noise of that standard deviation is added, the same for the same `seed`.

        with BasicAerProvider("127.0.0.1:50051") as provider:
            energy = EstimatorV2(provider).run([(ansatz, hamiltonian, angles)]).result()[0].data.evs
    """

    def __init__(
        self,
        provider: Source | None = None,
        *,
        mode: Source | None = None,
        backend: Source | None = None,
        options: EstimatorOptions | Mapping[str, Any] | None = None,
        default_precision: float | None = None,
        seed: int | None = None,
        shots: int | None = None,
        precision: str | None = None,
    ) -> None:
        """Make no call.

        Where it runs is `provider`, or `mode` or `backend` under the names of other estimators. `options` are
        those of `EstimatorOptions`; `default_precision` (0), `seed`, `shots` (of circuits with random
        outcomes) and `precision` (of the arithmetic, "double" or "single") set single ones.

        Raises:
            TypeError: Unless it is said where to run.
            QiskitError: For a backend that averages over no shots.
        """
        self._source = only_source(provider, mode, backend)
        self._options = options_from(
            EstimatorOptions,
            options,
            {"shots": shots, "precision": precision},
            default_precision=default_precision,
            seed_simulator=seed,
        )

    @classmethod
    def from_backend(cls, backend: Any, **options: Any) -> Self:
        """Return one that runs on a backend: a server's, or a simulator of a `BackendV2` with its noise.

        `options` are the constructor's.

        Raises:
            TypeError, OptionInvalidError, QiskitError: See `AerSimulator.from_backend`.
        """
        return cls(source_like(backend), **options)

    @property
    def source(self) -> Source:
        """Where it runs."""
        return self._source

    @property
    def options(self) -> EstimatorOptions:
        """The options of later jobs; set its fields to change them."""
        return self._options

    @property
    def default_precision(self) -> float:
        """The standard deviation of a PUB that names none."""
        return self._options.default_precision

    @property
    def seed(self) -> int | None:
        """The seed of every job; None lets the server choose one for each."""
        return self._options.seed_simulator

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> BasicAerPrimitiveJob[PubResult]:
        """Submit PUBs: tuples of a circuit, observables, parameter values and a precision.

        Raises:
            ValueError: For what is no PUB.
            QiskitError: As by `BasicAerBackend.run`.
        """
        default = self._options.default_precision if precision is None else precision
        coerced = [EstimatorPub.coerce(pub, default) for pub in pubs]
        with translated():
            chosen = run_options(self._options)
            backend = backend_of(self._source, self._options.backend_options)
            noise = noise_for(backend, chosen)
            # A PUB of a shape with a 0 asks for no value.
            programs = [programs_of_pub(pub, noise) if pub.size else [] for pub in coerced]
        job = submit(backend, [*itertools.chain(*programs)], chosen)
        parts = [len(those) for those in programs]
        return BasicAerPrimitiveJob(backend, job, functools.partial(_read, coerced, parts))


def programs_of_pub(pub: EstimatorPub, noise: NoiseModel | None) -> list[job_pb2.Program]:
    """Return the PUB with each set of parameter values and each observable once, and the pairs that are
    wanted.
    """
    programs = programs_of(pub.circuit, pub.parameter_values, noise)
    observables = [*map(observable_to_proto, pub.observables.ravel().tolist())]
    rows, indices = _pairs(pub)
    for number, program in enumerate(programs):
        estimation = program.estimation
        estimation.precision = pub.precision
        if len(programs) > 1:
            estimation.observables.extend(observables[index] for index in indices[rows == number])
            continue
        estimation.observables.extend(observables)
        if not np.array_equal(rows * pub.observables.size + indices, np.arange(_full_size(pub))):
            estimation.rows.extend(rows.tolist())
            estimation.indices.extend(indices.tolist())
    return programs


def _full_size(pub: EstimatorPub) -> int:
    return int(pub.parameter_values.size * pub.observables.size)


def _pairs(pub: EstimatorPub) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each of the PUB's values, in order, which set of parameters and which observable it's made of."""
    rows, indices = np.broadcast_arrays(
        np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape),
        np.arange(pub.observables.size).reshape(pub.observables.shape),
    )
    return rows.reshape(-1), indices.reshape(-1)


def _read(pubs: Sequence[EstimatorPub], parts: Sequence[int], result: Result) -> PrimitiveResult[PubResult]:
    """Take each PUB's values from as many entries as `parts` says."""
    found = []
    entries = iter(result.results)
    for pub, count in zip(pubs, parts, strict=True):
        rows, _ = _pairs(pub)
        values = np.zeros(len(rows))
        for row in range(count):
            # More than one have one set of parameter values each.
            where = rows == row if count > 1 else slice(None)
            values[where] = next(entries).data.get("expectation_values").reshape(-1)
        found.append(
            PubResult(
                DataBin(
                    evs=values.reshape(pub.shape), stds=np.full(pub.shape, pub.precision), shape=pub.shape
                ),
                metadata={"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata},
            )
        )
    return PrimitiveResult(found, metadata={"version": 2})
