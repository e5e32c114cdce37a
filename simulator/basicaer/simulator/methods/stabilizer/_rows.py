"""What a circuit becomes: rows of few kinds, which kernels go through one after another.

Row i does `codes[i]` to the operands `first[i]` and `second[i]`, with the number `extra[i]`, whose meaning is
the code's. Classical bits from the circuit's own on hold variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from basicaer.simulator.circuit._operations import Save

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

(
    X,
    Y,
    Z,
    H,
    S,
    SX,
    CX,
    CZ,
    SWAP,
    MEASURE,
    RESET,
    PAULI_1,
    PAULI_2,
    PAULI_MANY,
    FLIP,
    CONFUSE,
    IF,
    ELSE,
    END,
    JUMP,
    STORE,
    SAVE,
) = range(22)
"""The codes. Up to SWAP they are gates, of `first` and, for the last three, `second`.

MEASURE writes qubit `first` to bit `second`. PAULI_1 and PAULI_2 draw a Pauli operator from table `extra` for
one and two qubits; PAULI_MANY for those of the list `first`. FLIP misreads bit `first` with the table's
probabilities, and CONFUSE the bits of the list `first`. IF goes on when expression `extra` holds, and at row
`second` when not; ELSE goes to row `second`; END closes what IF began; JUMP goes to row `second`. STORE
writes the values of expression `extra` to the bits of the list `first`. SAVE keeps save `extra` of the state.
"""

TWO_QUBITS = (CX, CZ, SWAP)
PAULIS = (X, Y, Z)

(PUSH, CONSTANT, NOT, AND, OR, XOR) = range(6)
"""What expressions are made of: code of a stack machine of bits, each with an operand, the bit or the
constant.
"""


@dataclass(slots=True, eq=False)
class Rows:
    """A circuit in rows, on `num_qubits` qubits and `num_bits` classical bits, of which `num_clbits` are its
    own.

    `tables` has the probabilities that rows draw from, one after another, of which table i begins at
    `table_starts[i]`: for a Pauli channel those of the operators with index Σ (x_j + 2 z_j) 4^j, for bits
    those of the told values, for each true one. `lists` has qubits or bits in the same way, and `expressions`
    pairs of a code and its operand. `initial` has the bits' values at the start. `masked` says that a row
    lies within a condition. `detectors` are saves of these, whose bits no row writes behind them.
    """

    num_qubits: int
    num_clbits: int
    num_bits: int
    codes: Ints
    first: Ints
    second: Ints
    extra: Ints
    masked: npt.NDArray[np.bool_]
    tables: Floats
    table_starts: Ints
    lists: Ints
    list_starts: Ints
    expressions: Ints
    expression_starts: Ints
    initial: npt.NDArray[np.uint8]
    saves: list[tuple[Save, tuple[int, ...]]] = field(default_factory=list)
    detectors: list[Save] = field(default_factory=list)

    @property
    def parts_shots(self) -> bool:
        """Whether more than Pauli operators depends on outcomes, so that no one reference serves all."""
        inside = self.codes[self.masked]
        allowed = np.isin(
            inside, (*PAULIS, PAULI_1, PAULI_2, PAULI_MANY, FLIP, CONFUSE, IF, ELSE, END, STORE)
        )
        return bool((~allowed).any() or (self.codes == JUMP).any())

    @property
    def has_noise(self) -> bool:
        """Whether a row draws what no measurement draws."""
        return bool(((self.codes >= PAULI_1) & (self.codes <= CONFUSE)).any())
