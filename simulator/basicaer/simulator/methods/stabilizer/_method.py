"""The stabilizer method as those who run circuits see it: what it refuses, what it takes, and how it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._outcomes import num_words
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._operations import Block
from basicaer.simulator.methods.stabilizer._conditions import UnsupportedError
from basicaer.simulator.methods.stabilizer._detectors import DetectorWords
from basicaer.simulator.methods.stabilizer._frames import Frames
from basicaer.simulator.methods.stabilizer._lowering import lowered
from basicaer.simulator.methods.stabilizer._rows import MEASURE, RESET, Ints, Rows, Words
from basicaer.simulator.methods.stabilizer._shots import Shots
from basicaer.simulator.methods.stabilizer._stim import MISSING, has_stim
from basicaer.simulator.methods.stabilizer.kernels._counts import Counter

NAME = "stabilizer"

_RATE = 1e9
"""Words of frames, and of tableaux, that a core changes in a second."""

_latest: dict[str, tuple[Circuit, Block, Rows]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What a run gives; as in `RunResult`, `words` are the distinct outcomes in numeric order, with their
    `counts`.

    `memory` has each shot's outcome, where it was asked for. `saved` has arrays by label: float64, and of
    detectors uint8. A program with detectors has no counts but with `memory`: nearly all would be 1.
    """

    words: Words
    counts: Ints
    memory: Words | None
    saved: dict[str, npt.NDArray[Any]]


def refuses(circuit: Circuit) -> str | None:
    """Return the first thing in a valid circuit that the method can't do, for people; None when it can do
    all.
    """
    if not has_stim():
        return MISSING
    if any(variable.is_input for variable in circuit.variables):
        return "inputs without values"
    try:
        program(circuit)
    except UnsupportedError as error:
        return str(error)
    return None


def estimate(circuit: Circuit, shots: int) -> tuple[float, int]:
    """Return about how long a run of a circuit takes that isn't refused, on one core in seconds, and the most
    bytes that it needs at a time.
    """
    rows = program(circuit)
    width = num_words(rows.num_clbits)
    packed = sum(num_words(len(save.detectors)) for save in rows.detectors)
    outcomes = 24 * shots * (packed or width)
    size, count = rows.num_qubits, len(rows.codes)
    measured = int(((rows.codes == MEASURE) | (rows.codes == RESET)).sum())
    if rows.parts_shots:
        words = 2 * -(-size // 64)
        return shots * (count * words + measured * size * words) / _RATE, 32 * size * words + outcomes
    # stim's tableau, then the frames.
    seconds = (count * (8 + size // 64) + measured * size * (1 + size // 256)) / _RATE
    return seconds + count * -(-shots // 64) / _RATE, size * size + outcomes + 96 * count


def program(circuit: Circuit) -> Rows:
    """Return the rows of a valid circuit. Those of the latest one are kept, as it is asked for several times.

    Raises `UnsupportedError`.
    """
    known = _latest.get("rows")
    if known is not None and known[0] is circuit and known[1] is circuit.body:
        return known[2]
    rows = lowered(circuit)
    if rows.parts_shots:
        Shots.check(rows)
    _latest["rows"] = (circuit, circuit.body, rows)
    return rows


def run(
    circuit: Circuit,
    shots: int,
    sequence: np.random.SeedSequence,
    control: RunControl,
    *,
    memory: bool = False,
    threads: int | None = None,
) -> Outcomes:
    """Run a valid circuit `shots` times.

    The same seed, circuit and shots give the same outcomes, whatever the threads and `memory`.

    Raises `CircuitError` for what the method can't do, `SimulationCancelled`, and `SimulationFailed`.
    """
    try:
        rows = program(circuit)
    except UnsupportedError as error:
        raise CircuitError(f"the stabilizer method can't do this: {error}") from error
    control.start(work=0.0, shots=shots)
    if rows.detectors:
        return _with_detectors(rows, shots, sequence, control, memory=memory, threads=threads)
    runner = Shots(rows) if rows.parts_shots else Frames(rows, control)
    counter = Counter()
    kept: list[Words] = []
    for part in runner.batches(shots, key_of(sequence), control, threads):
        counter.add(part)
        if memory:
            kept.append(part)
    words, counts = counter.totals()
    control.finish()
    return Outcomes(words, counts, np.concatenate(kept) if memory else None, dict(runner.saved(shots)))


def _with_detectors(
    rows: Rows,
    shots: int,
    sequence: np.random.SeedSequence,
    control: RunControl,
    *,
    memory: bool,
    threads: int | None,
) -> Outcomes:
    frames = Frames(rows, control)
    detectors = DetectorWords(rows, frames.reference_outcomes, shots, own=memory)
    counter = Counter()
    kept: list[Words] = []
    for part in frames.batches(shots, key_of(sequence), control, threads, detectors.parities):
        own = detectors.take(part)
        if memory:
            counter.add(own)
            kept.append(own)
    control.finish()
    saved: dict[str, npt.NDArray[Any]] = {**frames.saved(shots), **detectors.arrays()}
    if not memory:
        return Outcomes(np.zeros((0, 1), dtype=np.uint64), np.zeros(0, dtype=np.int64), None, saved)
    return Outcomes(*counter.totals(), np.concatenate(kept), saved)


def key_of(sequence: np.random.SeedSequence) -> Words:
    """Two words that stand for a seed; the seed itself isn't changed."""
    child = np.random.SeedSequence(entropy=sequence.entropy, spawn_key=(*sequence.spawn_key, 0))
    key: Words = child.generate_state(2, np.uint64)  # type: ignore[assignment]  # numpy has it as any unsigned
    return key
