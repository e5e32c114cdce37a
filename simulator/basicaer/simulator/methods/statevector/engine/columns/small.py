"""What is known of a small circuit while its gates are applied: `n` has integers, `c` complex numbers."""

MOST_TARGETS = 4
"""Targets of the widest gate that is known here."""
ROOM = MOST_TARGETS
"""Positions above the lanes that there are at least."""
LANES = 3
"""Positions in the lanes."""
COEFFICIENTS = 2 << (2 * MOST_TARGETS)
SCRATCH = 16 << MOST_TARGETS
GAP = 128
"""Reals between the two parts of a state, lest equal indices compete for one cache set."""

HEAD = 512
"""Reals that hold the integers below, and as many for complex numbers."""

KNOWN, PLACE, PENDS, AT, USED, WIRE, LAST, ROWS = range(8)
"""Rows of integers: for each wire its basis state, its position or -1, whether a gate waits on it; for each
position its wire or -1; for each wire when it was last used; for each qubit its wire; of the last matrix that
was computed, the code and the first parameter."""
MOST_WIRES = 32
SIZE, CLOCK = range(MOST_WIRES - 2, MOST_WIRES)
"""Places at the end of row AT for scalars: positions in use, the time."""

G, H, PHASE, M, WAITING = 0, 16, 20, 24, 40
"""Where in the complex scratch lie: a gate's matrix, diagonal factors, the phase, the last matrix that was
computed, gates that wait."""
