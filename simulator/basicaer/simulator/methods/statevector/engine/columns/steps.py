"""One thing to do to a block: a row of a stage's program, `rows`, int64."""

(
    OP,
    SIZE,
    P0,
    P1,
    P2,
    P3,
    FIRST,
    MASK,
    VALUE,
    OUTER_MASK,
    OUTER_VALUE,
    CLASS,
    PICK1,
    PICK2,
    STRIDE,
    ROW_COLUMNS,
) = range(16)
"""Columns of a program's rows. OUTER_*: on the block's base index, the row is skipped where they don't fit.
PICK1/2: bits of the base (or -1) that select one of several matrices, STRIDE coefficients apart."""

ONE, TWO, THREE, CONTROLLED, FLIP, ANY, LAYER, EXCHANGE = range(8)
