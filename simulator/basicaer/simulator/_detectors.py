"""Memory experiments: circuits with detectors in, the bits of their detectors and observables out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._run import run
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.stim_text._reader import DETECTORS, OBSERVABLES, read_stim

Packed = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class DetectorSamples:
    """The bits of detectors and observables, one row a shot.

    `detectors` and `observables` (uint8) are packed: bit k of byte j of a row is that of number 8 j + k.
    There are `num_detectors` and `num_observables`. `seed` is the seed that was used, None for a SeedSequence
    that has several numbers.
    """

    detectors: Packed
    observables: Packed
    num_detectors: int
    num_observables: int
    seed: int | None

    def unpacked(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return the bits of detectors and those of observables as bools, of shape (shots, number)."""
        return _bits(self.detectors, self.num_detectors), _bits(self.observables, self.num_observables)


def sample_detectors(
    circuit: str | Circuit,
    *,
    shots: int = 1024,
    seed: int | np.random.SeedSequence | None = None,
    threads: int | None = None,
    control: RunControl | None = None,
) -> DetectorSamples:
    """Run a circuit, perhaps a text in stim's language, and say of each shot which detectors and observables
    differ from those of a shot without noise.

    They are what the circuit saves as "detectors" and "observables". A text that is run often is read once,
    by `read_stim`. The same seed, circuit and shots give the same bits, whatever the threads.

    Raises `CircuitError` for a text that can't be read, `OptionError`, `SimulationCancelled`, and
    `SimulationFailed` where the package stim is not installed.

    >>> samples = sample_detectors("X_ERROR(1) 0\\nM 0\\nDETECTOR rec[-1]", shots=2)
    >>> samples.unpacked()[0].tolist()
    [[True], [True]]
    """
    program = read_stim(circuit) if isinstance(circuit, str) else circuit
    found = run(program, shots=shots, method="stabilizer", seed=seed, threads=threads, control=control)
    counts = {op.save.label: len(op.save.detectors) for op in program.operations if op.save is not None}
    none = np.zeros((shots, 0), dtype=np.uint8)
    return DetectorSamples(
        detectors=found.saved.get(DETECTORS, none),
        observables=found.saved.get(OBSERVABLES, none),
        num_detectors=counts.get(DETECTORS, 0),
        num_observables=counts.get(OBSERVABLES, 0),
        seed=found.seed,
    )


def _bits(packed: Packed, count: int) -> npt.NDArray[np.bool_]:
    return np.unpackbits(packed, axis=1, bitorder="little", count=count).astype(np.bool_)
