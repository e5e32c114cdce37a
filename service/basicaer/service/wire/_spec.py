"""A job's spec as it came: the message, what lies beside it, and the bytes themselves where they are many.

To serialize a spec of megabytes again would keep the interpreter's lock for as long as parsing it. So a long
one is stored as it came, and told from others by its bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from basicaer.service.wire._columns import NO_COLUMNS, Columns
from basicaer.service.wire._kernels import find_occurrences
from basicaer.service.wire._reading import read_in_pieces
from basicaer.service.wire._scan import Scanned
from basicaer.v1 import circuit_pb2, job_pb2
from google.protobuf import struct_pb2

__all__ = ["WireSpec", "fingerprint", "read_spec", "wire_spec"]

AT_ONCE = 64 * 1024
"""A message of so many bytes is parsed, and serialized, as a whole: 20 ms at the very most."""

Places = npt.NDArray[np.int64]
"""Where something begins, where its contents begin, and where it ends."""

# Free data of more bytes is compared as it came.
_MOST_ORDERED = 1024 * 1024
# What takes a moment to check: so many bytes, and so many messages.
_SMALL_BYTES, _SMALL_PARTS = 8 * 1024, 256
# Registers stand for as many bits as the circuit has, in a few bytes each.
_SMALL_BITS = 1_000
_MODERATE_BYTES, _MODERATE_PARTS = AT_ONCE, 4_096
MOST_MADE = 20_000
"""A spec of more parts is never made into messages here, only where it is checked and run: to make, look at
and free a million of them holds the interpreter's lock for some tenths of a second.
"""


@dataclass(frozen=True, slots=True, eq=False)
class WireSpec:
    """A spec, the long lists that its message lacks, and the size of both on the wire.

    `raw` are its bytes, and `hashed` is what tells it from others, when there are more than `AT_ONCE`, or
    when it `is_apart`: then the message has nothing.
    """

    message: job_pb2.JobSpec
    columns: Columns = NO_COLUMNS
    size: int = 0
    parts: int = 0
    raw: bytes | memoryview | None = None
    hashed: bytes = b""

    @classmethod
    def of(cls, spec: job_pb2.JobSpec | WireSpec) -> WireSpec:
        """Return that of a message which was made here, or the same."""
        return spec if isinstance(spec, WireSpec) else cls(spec, size=spec.ByteSize())

    @property
    def is_small(self) -> bool:
        """Whether it is a circuit that is checked in about a millisecond."""
        programs = self.message.programs
        return (
            self.size <= _SMALL_BYTES
            and self.parts <= _SMALL_PARTS
            and len(programs) == 1
            and programs[0].HasField("circuit")
            and max(programs[0].circuit.num_qubits, programs[0].circuit.num_clbits) <= _SMALL_BITS
        )

    @property
    def is_apart(self) -> bool:
        """Whether it was left as bytes, which another process has to look at."""
        return self.parts > MOST_MADE

    @property
    def is_large(self) -> bool:
        """Whether checking it may take longer than a few ten milliseconds."""
        return self.size > _MODERATE_BYTES or self.parts > _MODERATE_PARTS

    def serialized(self) -> bytes | memoryview:
        """Return the spec as it is stored."""
        return self.message.SerializeToString(deterministic=True) if self.raw is None else self.raw

    def identity(self) -> bytes:
        """Return what tells it from other specs: 16 bytes."""
        return self.hashed or fingerprint(self.serialized())


def wire_spec(
    data: bytes, number: int, spec: job_pb2.JobSpec, columns: Columns, scanned: Scanned
) -> WireSpec:
    """Return the spec of a request of these bytes, which has it in field `number`."""
    if len(data) <= AT_ONCE and scanned.parts <= MOST_MADE:
        return WireSpec(spec, columns, len(data), scanned.parts)
    places = np.empty((scanned.parts, 3), dtype=np.int64)
    places = places[: find_occurrences(np.frombuffer(data, dtype=np.uint8), number, places)]
    view = memoryview(data)
    pieces = [view[start:end] for _, start, end in places.tolist()]
    # Those of a message that is given in parts are merged, and so are their bytes one after another.
    raw = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    hashed = _identity(data, places, scanned.maps)
    return WireSpec(spec, columns, len(raw), scanned.parts, raw, hashed)


def read_spec(data: bytes | memoryview, pause: Callable[[], None] = lambda: None) -> WireSpec:
    """Return a stored spec. `pause` is called between the pieces of a long one."""
    if len(data) <= AT_ONCE:
        return WireSpec(job_pb2.JobSpec.FromString(bytes(data)), NO_COLUMNS, len(data))
    message, columns = read_in_pieces(job_pb2.JobSpec, data, pause)
    return WireSpec(message, columns, len(data))


def long_spec() -> job_pb2.JobSpec:
    """Return a spec with a column that is long enough to go around protobuf: who has read it in pieces has
    loaded the compiled code for all others.
    """
    circuit = circuit_pb2.Circuit(body=circuit_pb2.Block(qubits=bytes(1 << 15)))
    return job_pb2.JobSpec(programs=[job_pb2.Program(circuit=circuit)])


def fingerprint(data: bytes | memoryview) -> bytes:
    """Return what tells a spec that was serialized from others: 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _identity(data: bytes, places: Places, maps: Places) -> bytes:
    """Return what tells a long spec, which lies at `places`, from others; `maps` count by what they say."""
    digest = hashlib.blake2b(digest_size=16)
    view = memoryview(data)
    entries: list[bytes] = []
    rows = iter(maps.tolist())
    row = next(rows, None)
    for _, start, end in places.tolist():
        at = start
        while row is not None and row[2] <= end:
            begins, contents, ends, is_entry = row
            row = next(rows, None)
            if begins < start:
                continue
            digest.update(view[at:begins])
            at = ends
            content = bytes(view[contents:ends])
            if is_entry:
                entries.append(content)
            else:
                digest.update(_ordered(content))
        digest.update(view[at:end])
    for entry in sorted(entries):
        digest.update(b"%d " % len(entry) + entry)
    return digest.digest()


def _ordered(content: bytes) -> bytes:
    """Return a Struct's bytes with its entries in order."""
    if len(content) > _MOST_ORDERED:
        return content
    data = struct_pb2.Struct.FromString(content).SerializeToString(deterministic=True)
    return b"%d " % len(data) + data
