"""Texts in stim's language to the contract's `Circuit`, by the simulator's own reader.

Each measurement writes a classical bit of its own, of the register "rec"; detectors and observables are what
the circuit saves at its end. The simulator, which takes a second or two to import, is loaded when the first
text is read: parser processes may never see one. `_reading` reads, and `_messages` makes the messages.
"""

from basicaer.service.parsing.stim_text._reading import (
    LONGEST_LOCATED,
    is_idle,
    load,
    locate_instruction,
    parse,
    parse_at_once,
    warm,
)

__all__ = [
    "LONGEST_LOCATED",
    "is_idle",
    "load",
    "locate_instruction",
    "parse",
    "parse_at_once",
    "warm",
]
