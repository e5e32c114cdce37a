"""The native sampler: every PUB of a call, with all its parameter values, is one job of the server."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit.primitives._data import DataBin
from basicaer.client.qiskit.primitives._job import BasicAerPrimitiveJob
from basicaer.client.qiskit.primitives._options import SamplerOptions, options_from, run_options
from basicaer.client.qiskit.primitives._pubs import programs_of, whole_shots, with_whole_shots
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
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub

__all__ = ["SamplerV2"]


class SamplerV2(BaseSamplerV2):
    """Draws outcomes of circuits, as Qiskit's `StatevectorSampler` does, on the server.

    Circuits may measure anywhere and have control flow. The same `seed`, PUBs and server version give the
    same outcomes.

        with BasicAerProvider("127.0.0.1:50051") as provider:
            data = SamplerV2(provider).run([(circuit, values)]).result()[0].data
            counts = data.meas.get_counts()
    """

    def __init__(
        self,
        provider: Source | None = None,
        *,
        mode: Source | None = None,
        backend: Source | None = None,
        options: SamplerOptions | Mapping[str, Any] | None = None,
        default_shots: int | None = None,
        seed: int | None = None,
        precision: str | None = None,
    ) -> None:
        """Make no call.

        Where it runs is `provider`, or `mode` or `backend` under the names of other samplers. `options` are
        those of `SamplerOptions`; `default_shots` (1024), `seed` and `precision` (of the arithmetic, "double"
        or "single") set single ones.

        Raises:
            TypeError: Unless it is said where to run.
            QiskitError: For a backend that draws no outcomes.
        """
        self._source = only_source(provider, mode, backend)
        self._options = options_from(
            SamplerOptions,
            options,
            {"precision": precision},
            default_shots=default_shots,
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
    def options(self) -> SamplerOptions:
        """The options of later jobs; set its fields to change them."""
        return self._options

    @property
    def default_shots(self) -> int:
        """The shots of a PUB that names none."""
        return self._options.default_shots

    @property
    def seed(self) -> int | None:
        """The seed of every job; None lets the server choose one for each."""
        return self._options.seed_simulator

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> BasicAerPrimitiveJob[SamplerPubResult]:
        """Submit PUBs: circuits, or tuples of a circuit, parameter values and shots.

        Raises:
            ValueError: For what is no PUB.
            QiskitError: As by `BasicAerBackend.run`.
        """
        with translated():
            default = whole_shots(self._options.default_shots if shots is None else shots)
            coerced = [SamplerPub.coerce(with_whole_shots(pub), default) for pub in pubs]
        if any(not pub.circuit.cregs for pub in coerced):
            warnings.warn(
                "A circuit has no classical register, so its result is empty; measure it, for instance with "
                "measure_all().",
                UserWarning,
                stacklevel=2,
            )
        with translated():
            chosen = run_options(self._options)
            backend = backend_of(self._source, self._options.backend_options)
            noise = noise_for(backend, chosen)
            # A PUB of a shape with a 0 has no set of values to run with.
            programs = [program for pub in coerced if pub.size for program in _programs(pub, noise)]
        job = submit(backend, programs, chosen)
        return BasicAerPrimitiveJob(backend, job, functools.partial(_read, coerced))


def _programs(pub: SamplerPub, noise: NoiseModel | None) -> list[job_pb2.Program]:
    programs = programs_of(pub.circuit, pub.parameter_values, noise)
    for program in programs:
        program.shots = pub.shots
    return programs


def _read(pubs: Sequence[SamplerPub], result: Result) -> PrimitiveResult[SamplerPubResult]:
    """Take each PUB's entries, one for each set of parameter values, from the job's."""
    entries = iter(result.results)
    generator = np.random.default_rng(result.results[0].seed if result.results else None)
    found = []
    for pub in pubs:
        circuit = pub.circuit
        index_of = {bit: index for index, bit in enumerate(circuit.clbits)}
        registers = {register.name: [index_of[bit] for bit in register] for register in circuit.cregs}
        rows = []
        for _ in range(pub.size):
            entry = next(entries)
            if not circuit.clbits:
                continue  # it has no outcomes
            words, counts = entry.data.outcome_words()
            # The server counts; which shot saw what is drawn here, alike for all registers.
            rows.append(generator.permutation(np.repeat(words, counts, axis=0), axis=0))
        outcomes = _bits(rows, pub.shots, len(circuit.clbits))
        data: dict[str, Any] = {
            name: BitArray(_packed(outcomes[..., bits], (*pub.shape, pub.shots)), len(bits))
            for name, bits in registers.items()
        }
        found.append(
            SamplerPubResult(
                DataBin(**data, shape=pub.shape),
                metadata={"shots": pub.shots, "circuit_metadata": circuit.metadata},
            )
        )
    return PrimitiveResult(found, metadata={"version": 2})


def _bits(rows: Sequence[npt.NDArray[np.uint64]], shots: int, num_clbits: int) -> npt.NDArray[np.uint8]:
    """Return outcomes as bits, of shape (rows, shots, num_clbits)."""
    if not rows:
        return np.zeros((0, shots, num_clbits), np.uint8)
    words = np.stack(rows).astype("<u8", copy=False)
    return np.unpackbits(words.view(np.uint8), axis=-1, count=num_clbits, bitorder="little")


def _packed(bits: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return bits, the last axis from the least significant on, as BitArray has them: big-endian bytes."""
    packed = np.packbits(bits, axis=-1, bitorder="little")[..., ::-1]
    return np.ascontiguousarray(packed).reshape(*shape, packed.shape[-1])
