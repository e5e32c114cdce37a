"""How far a stage has come: a row of `counters`, int64, which threads add to."""

CLAIMED, DONE, WIDTH = 0, 8, 16
"""Blocks that a thread has taken on, and blocks that are finished: each in a cache line of its own."""
