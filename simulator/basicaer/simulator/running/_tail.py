"""Does what waits until the end of a branch: its measurements, and their errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._outcomes import BasisStates, Counts, Tally, Words, bit_of, int_to_words
from basicaer.simulator.compiler._noise_steps import ReadoutStep
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.methods.interface import Method, S
from basicaer.simulator.running._branches import Branch

_WORD = 64


def read_tail(
    program: StepProgram,
    method: Method[S],
    branch: Branch[S],
    state: S,
    tally: Tally,
    generator: np.random.Generator | None,
    keeper: np.random.Generator | None,
    control: RunControl,
) -> Words | None:
    """Do the measurements of the tail for a branch, and add what they tell to `tally`.

    For the branch that has the kept shot, also collapse its state, and return that shot's outcome.
    """
    tail, told, wires = program.tail, program.told, program.wires
    before, num_clbits = branch.memory.clbits, program.num_clbits
    if len(tail.qubits) == 0 and not told:
        tally.add(before, branch.shots)
        return int_to_words(before, num_clbits) if branch.is_kept else None
    if generator is None:
        raise AssertionError("outcomes are drawn without a generator")
    if len(tail.qubits) == 0:
        words, counts = int_to_words(before, num_clbits)[None], np.array([branch.shots])
        indices: BasisStates = np.zeros(1, dtype=np.int64)
    else:
        indices, counts = method.sample(state, branch.shots, generator, control, wires.num_active)
        words = program.readout.words(indices, before)
    rows: npt.NDArray[np.int64] | None = None
    if told:
        words, counts, rows = misread(told, words, counts, generator)
    tally.extend(words, counts)
    if not branch.is_kept or keeper is None:
        return None
    drawn = int(np.searchsorted(np.cumsum(counts), keeper.integers(branch.shots), side="right"))
    row = drawn if rows is None else int(rows[drawn])
    for qubit in sorted(qubit for qubit in set(tail.qubits.tolist()) if qubit < wires.count):
        bit = bit_of(indices, row, qubit)
        weight = float(state.weights([qubit], control)[bit])
        state.collapse({qubit: bit}, weight, control)
    kept: Words = words[drawn]
    return kept


def misread(
    steps: Sequence[ReadoutStep], words: Words, counts: Counts, generator: np.random.Generator
) -> tuple[Words, Counts, npt.NDArray[np.int64]]:
    """Return what is told instead of outcomes of shape (k, words) that were seen `counts` times: outcomes, in
    any order and perhaps several times, how often each is told, and of which row each is told.
    """
    rows = np.arange(len(words))
    for step in steps:
        places = [(clbit // _WORD, np.uint64(clbit % _WORD)) for clbit in step.clbits]
        true = np.zeros(len(words), dtype=np.int64)
        for place, (word, bit) in enumerate(places):
            true |= (words[:, word] >> bit & np.uint64(1)).astype(np.int64) << place
        drawn = generator.multinomial(counts, step.probabilities[true])
        chosen, told = np.nonzero(drawn)
        words, counts, rows = words[chosen], drawn[chosen, told], rows[chosen]
        for place, (word, bit) in enumerate(places):
            words[:, word] &= ~(np.uint64(1) << bit)
            words[:, word] |= (told >> place & 1).astype(np.uint64) << bit
    return words, counts, rows
