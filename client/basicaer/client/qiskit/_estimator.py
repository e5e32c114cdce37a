"""The native estimator: the server computes expectation values where the state is, in one job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from basicaer.client._result import Result
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit._primitive_job import BasicAerPrimitiveJob
from basicaer.client.qiskit._pubs import Source, observable_to_proto, primitive_backend, program_of
from basicaer.v1 import job_pb2
from qiskit.primitives import BaseEstimatorV2, DataBin, EstimatorPubLike, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

__all__ = ["EstimatorV2"]


class EstimatorV2(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit has no types
    """Estimates expectation values, as Qiskit's `StatevectorEstimator` does, on the server.

    With the precision 0 they are exact, or means over `shots` shots for a circuit with random outcomes.
    Otherwise normally distributed noise of that standard deviation is added, the same for the same `seed`.

        with BasicAerProvider("127.0.0.1:50051") as provider:
            energy = EstimatorV2(provider).run([(ansatz, hamiltonian, angles)]).result()[0].data.evs
    """

    def __init__(
        self,
        provider: Source,
        *,
        default_precision: float = 0.0,
        seed: int | None = None,
        shots: int | None = None,
        precision: str | None = None,
    ) -> None:
        """Makes no call. `precision` is that of the arithmetic, "double" or "single"."""
        self._shots = shots
        self._provider = provider
        self._default_precision = default_precision
        self._seed = seed
        self._precision = precision

    @property
    def default_precision(self) -> float:
        """The standard deviation of a PUB that names none."""
        return self._default_precision

    @property
    def seed(self) -> int | None:
        """The seed of every job; None lets the server choose one for each."""
        return self._seed

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> BasicAerPrimitiveJob[PubResult]:
        """Submits PUBs: tuples of a circuit, observables, parameter values and a precision.

        Raises: ValueError for what is no PUB; QiskitError, as by `BasicAerBackend.run`.
        """
        default = self._default_precision if precision is None else precision
        coerced = [EstimatorPub.coerce(pub, default) for pub in pubs]
        with translated():
            job = primitive_backend(self._provider).run(
                [_program(pub) for pub in coerced],
                shots=self._shots,
                seed_simulator=self._seed,
                precision=self._precision,
            )
        return BasicAerPrimitiveJob(job, lambda result: _read(coerced, result))


def _program(pub: EstimatorPub) -> job_pb2.Program:
    """The PUB with each set of parameter values and each observable once, and the pairs that are wanted."""
    program = program_of(pub.circuit, pub.parameter_values)
    estimation = program.estimation
    estimation.observables.extend(map(observable_to_proto, pub.observables.ravel().tolist()))
    estimation.precision = pub.precision
    rows, indices = _pairs(pub)
    if not np.array_equal(rows * pub.observables.size + indices, np.arange(_full_size(pub))):
        estimation.rows.extend(rows.tolist())
        estimation.indices.extend(indices.tolist())
    return program


def _full_size(pub: EstimatorPub) -> int:
    return int(pub.parameter_values.size * pub.observables.size)


def _pairs(pub: EstimatorPub) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each of the PUB's values, in order, which set of parameters and which observable it's made of."""
    rows, indices = np.broadcast_arrays(
        np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape),
        np.arange(pub.observables.size).reshape(pub.observables.shape),
    )
    return rows.reshape(-1), indices.reshape(-1)


def _read(pubs: Sequence[EstimatorPub], result: Result) -> PrimitiveResult[PubResult]:
    found = []
    for pub, entry in zip(pubs, result.results, strict=True):
        values = entry.data.get("expectation_values").reshape(pub.shape)
        found.append(
            PubResult(
                DataBin(evs=values, stds=np.full(pub.shape, pub.precision), shape=pub.shape),
                metadata={"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata},
            )
        )
    return PrimitiveResult(found, metadata={"version": 2})
