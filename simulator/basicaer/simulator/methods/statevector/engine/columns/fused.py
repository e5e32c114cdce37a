"""A fused operation: a row of `ops`, int64.

Its matrix lies in `mats` at MAT, row-major, and has the class CLASS, of `classes.py`.

DIAGONAL    T0, and T1 or -1; MAT has 2 or 4 factors
ONE         one target T0; T1, T2 are selectors or -1: the matrix is one 2 by 2 block for each value of the
            selectors
TWO         dense on T0 (the least significant bit) and T1; T2 is a selector of one of two matrices, or -1
THREE       dense on T0 (the least significant bit), T1, T2
CONTROLLED  2 by 2 on T0 where the wires in MASK have the bits of VALUE
ANY         dense on COUNT wires, which lie in `operands` at T0; MASK and VALUE as in CONTROLLED

WIRES has the bit of every wire of a CONTROLLED or ANY operation. RAW is an operation that may still grow.
"""

KIND, CLASS, T0, T1, T2, MASK, VALUE, MAT, COUNT, WIRES, COLUMNS = range(11)
DEAD, DIAGONAL, ONE, TWO, THREE, CONTROLLED, ANY, RAW = range(8)
