"""Exact gradients of expectation values, in the interface that `qiskit_algorithms` has for them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit.primitives._estimator import EstimatorV2, programs_of_pub
from basicaer.client.qiskit.primitives._job import BasicAerPrimitiveJob
from basicaer.client.qiskit.primitives._options import run_options
from basicaer.client.qiskit.primitives._sources import Source, backend_of, submit
from basicaer.client.results._result import Result
from qiskit.primitives.containers.estimator_pub import EstimatorPub

__all__ = ["EstimatorGradient", "EstimatorGradientResult"]


@dataclass(frozen=True)
class EstimatorGradientResult:
    """`gradients` has an array for each circuit, of one number for each of its parameters.

    `metadata` says by which parameters, `precision` is 0: they are exact.
    """

    gradients: list[npt.NDArray[np.float64]]
    metadata: list[dict[str, Any]]
    precision: float | Sequence[float] = 0.0


class EstimatorGradient:
    """Derivatives of expectation values by a circuit's parameters: one job, by adjoint differentiation.

        vqe = VQE(EstimatorV2(provider), ansatz, L_BFGS_B(), gradient=EstimatorGradient(provider))

    It takes what an `EstimatorV2` takes, or one, whose options hold then.
    """

    def __init__(self, estimator: EstimatorV2 | Source, **options: Any) -> None:
        """Make no call. `options` are those of `EstimatorV2`."""
        if not isinstance(estimator, EstimatorV2):
            estimator = EstimatorV2(estimator, **options)
        elif options:
            raise TypeError("the options are the estimator's; set them there")
        self._estimator: EstimatorV2 = estimator

    def run(
        self,
        circuits: Sequence[Any],
        observables: Sequence[Any],
        parameter_values: Sequence[Sequence[float]],
        parameters: Sequence[Sequence[Any] | None] | None = None,
        *,
        precision: float | Sequence[float] | None = None,
    ) -> BasicAerPrimitiveJob[EstimatorGradientResult]:
        """Submit one job, for circuit i with observable i at the point i.

        `parameters` names those of each circuit by which derivatives are wanted; all by default, in the
        circuit's order. `precision` makes no difference.

        Raises:
            ValueError: The lists differ in length, or a parameter isn't the circuit's.
            QiskitError: As by `EstimatorV2.run`; for circuits of more than gates, too.
        """
        wanted = [None] * len(circuits) if parameters is None else parameters
        if not len(circuits) == len(observables) == len(parameter_values) == len(wanted):
            raise ValueError(
                f"there are {len(circuits)} circuits, {len(observables)} observables, "
                f"{len(parameter_values)} points and {len(wanted)} lists of parameters; give as many of each"
            )
        places = [_places(circuit, asked) for circuit, asked in zip(circuits, wanted, strict=True)]
        pubs = [
            EstimatorPub.coerce((circuit, observable, np.asarray(values, dtype=np.float64)), 0.0)
            for circuit, observable, values in zip(circuits, observables, parameter_values, strict=True)
        ]
        options = self._estimator.options
        with translated():
            backend = backend_of(self._estimator.source, options.backend_options)
            programs = [program for pub in pubs for program in programs_of_pub(pub, None)]
        for program in programs:
            program.estimation.gradient = True
        job = submit(backend, programs, run_options(options))
        return BasicAerPrimitiveJob(backend, job, functools.partial(_read, list(circuits), places))


def _places(circuit: Any, wanted: Sequence[Any] | None) -> list[int]:
    """Return which of a circuit's parameters are wanted."""
    known = list(circuit.parameters)
    if wanted is None:
        return list(range(len(known)))
    try:
        return [known.index(parameter) for parameter in wanted]
    except ValueError:
        raise ValueError(f"a parameter is none of the circuit {circuit.name}") from None


def _read(
    circuits: Sequence[Any], places: Sequence[Sequence[int]], result: Result
) -> EstimatorGradientResult:
    gradients = [result.get_gradients(number).reshape(-1)[list(own)] for number, own in enumerate(places)]
    metadata = [
        {"parameters": [list(circuit.parameters)[place] for place in own]}
        for circuit, own in zip(circuits, places, strict=True)
    ]
    return EstimatorGradientResult(gradients, metadata)
