"""Requests as bytes: bounded by what they hold before protobuf makes anything of them, and read without
holding others up.

A message of two bytes becomes an object of hundreds, and one field repeated may cost minutes. So there is
one rule for every field of the contract (`_limits`), which is kept on the bytes themselves, by compiled code
(`_kernels`).
"""

from basicaer.service.wire._columns import NO_COLUMNS, Columns
from basicaer.service.wire._kernels import DEEPEST
from basicaer.service.wire._limits import MOST_PARTS
from basicaer.service.wire._reading import read_around, read_in_pieces
from basicaer.service.wire._scan import Scanned, Scanner, invalid_message
from basicaer.service.wire._spec import MOST_MADE, WireSpec, fingerprint, long_spec, read_spec, wire_spec
from basicaer.service.wire._varint import varint

__all__ = [
    "DEEPEST",
    "MOST_MADE",
    "MOST_PARTS",
    "NO_COLUMNS",
    "Columns",
    "Scanned",
    "Scanner",
    "WireSpec",
    "fingerprint",
    "invalid_message",
    "long_spec",
    "read_around",
    "read_in_pieces",
    "read_spec",
    "varint",
    "wire_spec",
]
