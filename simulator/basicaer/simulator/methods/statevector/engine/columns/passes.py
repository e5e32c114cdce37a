"""A stage, one pass over memory: a row of `stages`, int64.

Besides the columns below it has two pairs of runs of numbers. For each bit above the lanes that is loaded,
in ascending order, there is the bit of the memory's index from LOAD_BITS on, and the position in the block
from FROM on; STORE_BITS and TO are the same for what is stored.
"""

ROW_START, ROW_STOP, OUTER, LOADED, STORED, ZEROED, HEADER = range(7)
"""Rows of the program; bits of the base that vary; how many bits above the lanes are loaded, and stored; how
many positions of the block to clear first (0 when it is loaded in full)."""
MOST_BITS = 24
LOAD_BITS, FROM = HEADER, HEADER + MOST_BITS
STORE_BITS, TO = HEADER + 2 * MOST_BITS, HEADER + 3 * MOST_BITS
STAGE_COLUMNS = HEADER + 4 * MOST_BITS
