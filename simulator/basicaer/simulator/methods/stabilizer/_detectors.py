"""The bits of detectors: where they lie among what frames give of a shot, and which the reference has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.stabilizer import _rows as rows
from basicaer.simulator.methods.stabilizer._frames import Parities
from basicaer.simulator.methods.stabilizer.kernels._frames import evaluate

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


class DetectorWords:
    """What is asked of frames for a program with detectors, and what is made of it.

    A shot's row of words has first the program's own classical bits, if these are wanted too, and then the
    detectors of each save, each from a whole word on.
    """

    def __init__(self, program: rows.Rows, reference: Bytes, shots: int, *, own: bool) -> None:
        """Take the reference shot's outcomes for each row; with `own`, the program's own bits are wanted."""
        lists: list[tuple[int, ...]] = [(bit,) for bit in range(program.num_clbits)] if own else []
        lists += [()] * (-len(lists) % 64)
        self.own_words = len(lists) // 64
        self._places: list[tuple[str, int, int]] = []
        for save in program.detectors:
            self._places.append((save.label, len(lists) // 64, len(save.detectors)))
            lists += [_odd(bits) for bits in save.detectors]
            lists += [()] * (-len(lists) % 64)
        self.parities = Parities.of(lists)
        known = _final_bits(program, reference)[self.parities.bits]
        sums = np.concatenate([[0], np.cumsum(known, dtype=np.int64)])
        starts = self.parities.starts
        parity = ((sums[starts[1:]] - sums[starts[:-1]]) & 1).astype(np.uint8)
        parity[: 64 * self.own_words] = 0
        self._reference = np.packbits(parity, bitorder="little").view("<u8").astype(np.uint64)
        self._found: dict[str, Bytes] = {
            label: np.empty((shots, -(-count // 8)), dtype=np.uint8) for label, _, count in self._places
        }
        self._taken = 0

    def take(self, part: Words) -> Words:
        """Keep the detectors of some shots, whose words are changed, and return their own classical bits."""
        part ^= self._reference
        raw = part.astype("<u8", copy=False).view(np.uint8)
        end = self._taken + len(part)
        for label, begin, count in self._places:
            self._found[label][self._taken : end] = raw[:, 8 * begin : 8 * begin + -(-count // 8)]
        self._taken = end
        return np.ascontiguousarray(part[:, : self.own_words])

    def arrays(self) -> dict[str, Bytes]:
        """Return all shots' bits by label, of shape (shots, bytes): bit k of byte j is that of detector
        8 j + k.
        """
        return self._found


def _odd(bits: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bits that occur an odd number of times: the others cancel."""
    if len(set(bits)) == len(bits):
        return bits
    found: dict[int, None] = {}
    for bit in bits:
        if bit in found:
            del found[bit]
        else:
            found[bit] = None
    return tuple(found)


def _final_bits(program: rows.Rows, reference: Bytes) -> Bytes:
    """Return the classical bits of the reference shot at its end."""
    memory = program.initial.astype(np.uint64).reshape(-1, 1)
    if not (program.codes == rows.STORE).any():
        measures = np.flatnonzero(program.codes == rows.MEASURE)
        memory[program.second[measures], 0] = reference[measures]
        return memory[:, 0].astype(np.uint8)
    stack = np.zeros((int(np.diff(program.expression_starts).max(initial=0)) + 1, 1), dtype=np.uint64)

    def evaluated(number: int) -> Words:
        start, stop = program.expression_starts[number : number + 2].tolist()
        evaluate(program.expressions, start, stop, memory, stack)
        # A constant and a negation fill their words.
        return stack & np.uint64(1)

    held = [True]
    walked = np.isin(program.codes, (rows.MEASURE, rows.STORE, rows.IF, rows.ELSE, rows.END))
    for row in np.flatnonzero(walked).tolist():
        code, number = int(program.codes[row]), int(program.extra[row])
        if code == rows.MEASURE:
            memory[program.second[row], 0] = reference[row]
        elif code == rows.IF:
            held.append(held[-1] and bool(evaluated(number)[0, 0]))
        elif code == rows.ELSE:
            held[-1] = held[-2] and not held[-1]
        elif code == rows.END:
            held.pop()
        elif held[-1]:
            begin, end = program.list_starts[program.first[row] : program.first[row] + 2].tolist()
            memory[program.lists[begin:end]] = evaluated(number)[: end - begin].copy()
    return memory[:, 0].astype(np.uint8)
