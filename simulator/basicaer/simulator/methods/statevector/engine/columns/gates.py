"""A distinct operation of a circuit: a row of `table`, int64."""

CODE, TARGETS, CONTROLS, STATE, PARAMETERS, OFFSET, COLUMNS = range(7)
"""CODE is a formula's number; STATE has a bit for each control; PARAMETERS counts those in the column; OFFSET
is that of the matrix in the pool."""
