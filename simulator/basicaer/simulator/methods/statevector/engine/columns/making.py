"""What a stage's program has come to while it is written: two short arrays of int64."""

ROWS, COEFS, TERMS, COUNTS = range(4)
"""How many rows, coefficients and terms there are."""

SINGLE, DELAYED, LIVE, ACTIVE, LANES, PREFIX, SCALARS = range(7)
"""Scalars of the stage: a 1-qubit operation that waits for a partner (or -1), how many diagonal operations
are delayed, the live wires, the active ones, those in the lanes, and the prefix's size in bits."""
