"""What is known of the entries of an operation's matrix, by which its kernel is chosen."""

COMPLEX, REAL, MIXED, MUX_COMPLEX, MUX_REAL, MUX_TWO_COMPLEX, MUX_TWO_REAL = range(7)
"""MIXED: (row, column) is real where their parity agrees, else imaginary. MUX: one or two bits select one of
several matrices."""
