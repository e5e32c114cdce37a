"""Tableaux: the generators of one shot's stabilizer group and those that undo them, and what gates do to
them.

It is Aaronson and Gottesman's tableau ("Improved simulation of stabilizer circuits", 2004), stored by qubits:
row q of `x` and `z` says which generators have an X, a Z or with both their product on qubit q. The first
half of a row's words is for the destabilizers, the second for the stabilizers. Before its X..Z.. a generator
has a power of i, whose lower bits are the first row of `powers` and whose upper ones the second: so that
products of generators need no more than parities. A gate changes two rows of each, 64 generators at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from basicaer.simulator.methods.stabilizer._rows import CX, CZ, SWAP, SX, H, S, X, Z
from basicaer.simulator.methods.stabilizer.kernels._random import word
from basicaer.simulator.methods.statevector.engine.machine._jit import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

UNKNOWN = 2
"""What stands for an outcome that isn't known."""

_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def begin(x: Words, z: Words, powers: Words) -> None:
    """Put all qubits in 0."""
    half = x.shape[1] // 2
    x[:] = _NONE
    z[:] = _NONE
    powers[:] = _NONE
    for q in range(x.shape[0]):
        x[q, q >> 6] = _ONE << np.uint64(q & 63)
        z[q, half + (q >> 6)] = _ONE << np.uint64(q & 63)


@compiled
def gates(
    codes: Ints, first: Ints, second: Ints, row: int, x: Words, z: Words, powers: Words, known: Bytes
) -> int:
    """Apply the gates from `row` on, and return the first row that is none.

    `known` has the outcomes of qubits that nothing has changed since they were measured, and UNKNOWN for
    others. All is in one function, as a call with arrays takes longer than a gate of few words.
    """
    words = x.shape[1]
    while row < len(codes) and codes[row] <= SWAP:
        code, a, b = codes[row], first[row], second[row]
        row += 1
        if code not in (CX, CZ, S, Z):
            known[a] = UNKNOWN
        if code in (CX, SWAP):
            known[b] = UNKNOWN
        for w in range(words):
            xa, za = x[a, w], z[a, w]
            if code == CX:
                x[b, w] ^= xa
                z[a, w] = za ^ z[b, w]
            elif code == H:
                powers[1, w] ^= xa & za
                x[a, w], z[a, w] = za, xa
            elif code == S:
                powers[1, w] ^= powers[0, w] & xa
                powers[0, w] ^= xa
                z[a, w] = za ^ xa
            elif code == SX:
                powers[0, w] ^= za
                powers[1, w] ^= powers[0, w] & za
                x[a, w] = xa ^ za
            elif code == CZ:
                xb = x[b, w]
                powers[1, w] ^= xa & xb
                z[b, w] ^= xa
                z[a, w] = za ^ xb
            elif code == SWAP:
                x[a, w], z[a, w] = x[b, w], z[b, w]
                x[b, w], z[b, w] = xa, za
            elif code == X:
                powers[1, w] ^= za
            elif code == Z:
                powers[1, w] ^= xa
            else:
                powers[1, w] ^= xa ^ za
    return row


@compiled
def pauli(kind: int, q: int, x: Words, z: Words, powers: Words, known: Bytes) -> None:
    """Apply one of I, X, Z and Y, by its number."""
    if kind & 1:
        known[q] = UNKNOWN
    for w in range(x.shape[1]):
        if kind & 1:
            powers[1, w] ^= z[q, w]
        if kind & 2:
            powers[1, w] ^= x[q, w]


@compiled
def _count(value: np.uint64) -> int:
    """Return the number of ones."""
    value -= (value >> np.uint64(1)) & np.uint64(0x5555555555555555)
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _product(chosen: Words, x: Words, z: Words, powers: Words) -> int:
    """Return the power of i before X..Z.. in the product of the stabilizers that `chosen` has a bit for, in
    their order: each Z that comes before a later X turns the sign.
    """
    half = x.shape[1] // 2
    total = 0
    for w in range(half):
        total += _count(powers[0, half + w] & chosen[w]) + 2 * _count(powers[1, half + w] & chosen[w])
    turned = _NONE
    for q in range(x.shape[0]):
        before = _NONE
        for w in range(half):
            xs, zs = x[q, half + w] & chosen[w], z[q, half + w] & chosen[w]
            if not zs:
                turned ^= xs & before
                continue
            # Bit k becomes the parity of the Z in bits 0 to k.
            prefix = zs
            for distance in range(6):
                prefix ^= prefix << np.uint64(1 << distance)
            turned ^= xs & (prefix ^ zs ^ before)
            if prefix >> np.uint64(63):
                before = ~before
    return (total + 2 * _count(turned)) & 3


@compiled
def expected(has_x: Ints, has_z: Ints, x: Words, z: Words, powers: Words, chosen: Words) -> int:
    """Return the expectation value, 1, 0 or -1, of the product of Pauli operators with X on some qubits and Z
    on some, and Y on those that are in both lists. `chosen` is room for as many words as a row has.
    """
    half = x.shape[1] // 2
    for w in range(2 * half):
        chosen[w] = _NONE
        for q in has_x:
            chosen[w] ^= z[q, w]
        for q in has_z:
            chosen[w] ^= x[q, w]
    for w in range(half):
        if chosen[half + w]:
            return 0
    power = _product(chosen, x, z, powers)
    for q in has_x:
        for other in has_z:
            if q == other:
                power += 3
    return 1 - (power & 3)


@compiled
def _replace(at: int, bit: np.uint64, x: Words, z: Words, chosen: Words, turned: Words) -> None:
    """Multiply the `chosen` generators by the stabilizer that `bit` of word `at` stands for, and take that
    one out: it becomes the destabilizer of what comes in its place.

    `turned` gets the generators whose product has another sign, as a Z came before an X.
    """
    half = x.shape[1] // 2
    for w in range(2 * half):
        turned[w] = _NONE
    for j in range(x.shape[0]):
        # All ones, or none, by the letter of the stabilizer that goes.
        own_x = _ALL if x[j, at] & bit else _NONE
        own_z = _ALL if z[j, at] & bit else _NONE
        if own_x | own_z:
            for w in range(2 * half):
                turned[w] ^= z[j, w] & own_x
                x[j, w] ^= chosen[w] & own_x
                z[j, w] ^= chosen[w] & own_z
        x[j, at - half] = (x[j, at - half] & ~bit) | (bit & own_x)
        z[j, at - half] = (z[j, at - half] & ~bit) | (bit & own_z)
        x[j, at] &= ~bit
        z[j, at] &= ~bit


@compiled
def _replace_few(bit: np.uint64, x: Words, z: Words, chosen: Words, turned: Words) -> None:
    """Do what `_replace` does for rows of two words, with all that changes from row to row in registers."""
    first, second = chosen[0], chosen[1]
    turned_first, turned_second = _NONE, _NONE
    for j in range(x.shape[0]):
        own_x = _ALL if x[j, 1] & bit else _NONE
        own_z = _ALL if z[j, 1] & bit else _NONE
        turned_first ^= z[j, 0] & own_x
        turned_second ^= z[j, 1] & own_x
        x[j, 0] = ((x[j, 0] ^ (first & own_x)) & ~bit) | (bit & own_x)
        z[j, 0] = ((z[j, 0] ^ (first & own_z)) & ~bit) | (bit & own_z)
        x[j, 1] = (x[j, 1] ^ (second & own_x)) & ~bit
        z[j, 1] = (z[j, 1] ^ (second & own_z)) & ~bit
    turned[0], turned[1] = turned_first, turned_second


@compiled
def measure(q: int, x: Words, z: Words, powers: Words, room: Words, random: Words) -> int:
    """Measure a qubit, and return its outcome; the tableau becomes that of the state that is left.

    `room` has the shape (2, words of a row).
    """
    half = x.shape[1] // 2
    pivot = -1
    for w in range(half):
        found = x[q, half + w]
        if found:
            place = 0
            while not (found >> np.uint64(place)) & _ONE:
                place += 1
            pivot = 64 * w + place
            break
    chosen, turned = room[0], room[1]
    for w in range(2 * half):
        chosen[w] = x[q, w]
    if pivot < 0:
        return _product(chosen, x, z, powers) >> 1
    outcome = int(word(random) & _ONE)
    at, bit = half + (pivot >> 6), _ONE << np.uint64(pivot & 63)
    chosen[at] &= ~bit
    if half == 1:
        _replace_few(bit, x, z, chosen, turned)
    else:
        _replace(at, bit, x, z, chosen, turned)
    low = _ALL if powers[0, at] & bit else _NONE
    high = _ALL if powers[1, at] & bit else _NONE
    for w in range(2 * half):
        powers[1, w] ^= chosen[w] & (high ^ turned[w] ^ (powers[0, w] & low))
        powers[0, w] ^= chosen[w] & low
    z[q, at] |= bit
    powers[0, at] &= ~bit
    powers[1, at] = (powers[1, at] & ~bit) | (bit if outcome else _NONE)
    return outcome
