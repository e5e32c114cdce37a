"""The numbers of the formulas by which the engine itself computes gates' matrices; a gate's record has one.

`engine/_matrices.py` has the formulas. A gate without one has POOLED: its matrix comes from its record, once
for a gate without parameters, and otherwise for each of its instructions.
"""

(
    POOLED,
    SWAP,
    NOTHING,
    PHASE,
    P,
    U,
    U2,
    R,
    RX,
    RY,
    RZ,
    CU,
    RXX,
    RYY,
    RZZ,
    RZX,
    XX_MINUS_YY,
    XX_PLUS_YY,
) = range(18)
"""SWAP, NOTHING and PHASE aren't matrices to the engine: two qubits change places, nothing happens, and the
whole state gets a factor of the first parameter's phase."""
