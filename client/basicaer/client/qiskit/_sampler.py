"""The native sampler: every PUB of a call, with all its parameter values, is one job of the server."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.client._result import Result
from basicaer.client.qiskit._errors import translated
from basicaer.client.qiskit._primitive_job import BasicAerPrimitiveJob
from basicaer.client.qiskit._pubs import Source, primitive_backend, program_of
from basicaer.v1 import job_pb2
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub

__all__ = ["SamplerV2"]


class SamplerV2(BaseSamplerV2):  # type: ignore[misc]  # Qiskit has no types
    """Draws outcomes of circuits, as Qiskit's `StatevectorSampler` does, on the server.

    Circuits may measure anywhere and have control flow. The same `seed`, PUBs and server version give the
    same outcomes.

        with BasicAerProvider("127.0.0.1:50051") as provider:
            data = SamplerV2(provider).run([(circuit, values)]).result()[0].data
            counts = data.meas.get_counts()
    """

    def __init__(
        self,
        provider: Source,
        *,
        default_shots: int = 1024,
        seed: int | None = None,
        precision: str | None = None,
    ) -> None:
        """Makes no call. `precision` is that of the arithmetic, "double" or "single"."""
        self._provider = provider
        self._default_shots = default_shots
        self._seed = seed
        self._precision = precision

    @property
    def default_shots(self) -> int:
        """The shots of a PUB that names none."""
        return self._default_shots

    @property
    def seed(self) -> int | None:
        """The seed of every job; None lets the server choose one for each."""
        return self._seed

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> BasicAerPrimitiveJob[SamplerPubResult]:
        """Submits PUBs: circuits, or tuples of a circuit, parameter values and shots.

        Raises: ValueError for what is no PUB; QiskitError, as by `BasicAerBackend.run`.
        """
        coerced = [SamplerPub.coerce(pub, self._default_shots if shots is None else shots) for pub in pubs]
        if any(not pub.circuit.cregs for pub in coerced):
            warnings.warn(
                "A circuit has no classical register, so its result is empty; measure it, for instance with "
                "measure_all().",
                UserWarning,
                stacklevel=2,
            )
        with translated():
            job = primitive_backend(self._provider).run(
                [_program(pub) for pub in coerced], seed_simulator=self._seed, precision=self._precision
            )
        return BasicAerPrimitiveJob(job, lambda result: _read(coerced, result))


def _program(pub: SamplerPub) -> job_pb2.Program:
    program = program_of(pub.circuit, pub.parameter_values)
    program.shots = pub.shots
    return program


def _read(pubs: Sequence[SamplerPub], result: Result) -> PrimitiveResult[SamplerPubResult]:
    """Takes each PUB's entries, one for each set of parameter values, from the job's."""
    entries = iter(result.results)
    generator = np.random.default_rng(result.results[0].seed if result.results else None)
    found = []
    for pub in pubs:
        circuit = pub.circuit
        index_of = {bit: index for index, bit in enumerate(circuit.clbits)}
        registers = {register.name: [index_of[bit] for bit in register] for register in circuit.cregs}
        rows = []
        for _ in range(pub.parameter_values.size):
            words, counts = next(entries).data.outcome_words()
            # The server counts; which shot saw what is drawn here, alike for all registers.
            rows.append(generator.permutation(np.repeat(words, counts, axis=0), axis=0))
        outcomes = _bits(rows, len(circuit.clbits))
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


def _bits(rows: Sequence[npt.NDArray[np.uint64]], num_clbits: int) -> npt.NDArray[np.uint8]:
    """Returns outcomes as bits, of shape (rows, shots, num_clbits)."""
    words = np.stack(rows).astype("<u8", copy=False)
    return np.unpackbits(words.view(np.uint8), axis=-1, count=num_clbits, bitorder="little")


def _packed(bits: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Returns bits, the last axis from the least significant on, as BitArray has them: big-endian bytes."""
    packed = np.packbits(bits, axis=-1, bitorder="little")[..., ::-1]
    return np.ascontiguousarray(packed).reshape(*shape, packed.shape[-1])
