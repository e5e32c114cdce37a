"""A row of `terms`, int64: a factor of a diagonal layer, or a target of a dense operation on many wires."""

KEY, POSITION, COLUMNS = range(3)
"""Of a factor: the bits of the base that must all be set, and the position that it belongs to, or -1; the
factor itself lies in `coefs`. Of a target: KEY is its position."""
