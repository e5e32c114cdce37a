"""What a request's bytes hold, and the refusal of too much, before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.wire._kernels import (
    BAD_BYTES,
    DEEPEST,
    LONGEST,
    MOST,
    SLOT,
    TOO_MANY,
    TOO_MANY_PARTS,
    WELL,
    scan,
)
from basicaer.service.wire._limits import MOST_PARTS, SETTINGS, TEXTS, most_of
from basicaer.service.wire._tables import Tables, make_tables
from basicaer.v1 import error_reason_pb2

__all__ = ["Scanned", "Scanner", "invalid_message"]

# Where the fields of a program begin: what is too large there is the program.
_PROGRAMS = "basicaer.v1.JobSpec.programs"
# Labels, and the free data of a job and its programs; more are merged ones, which count as they came.
_MOST_SPANS = 16_384
_NO_SPANS: npt.NDArray[np.int64] = np.empty((0, 4), dtype=np.int64)


class Scanned(NamedTuple):
    """What was found: how many parts, and, if asked for, the places of what has several encodings."""

    parts: int
    maps: npt.NDArray[np.int64]


class Scanner:
    """Scans messages of the types that requests may have. Thread-safe."""

    def __init__(self, roots: Sequence[Any], config: Config) -> None:
        self._tables: Tables = make_tables(roots, most_of(config), longest_text=config.max_program_bytes)

    @property
    def most(self) -> Mapping[str, int]:
        """Elements of each list, by the field's full name."""
        fields = self._tables.fields
        return {
            field.full_name: int(fields[row, MOST])
            for row, field in enumerate(self._tables.rows)
            if fields[row, SLOT] >= 0
        }

    def scan(self, kind: Any, data: bytes, *, with_maps: bool = False) -> Scanned:
        """Check a request's bytes. Takes about a nanosecond a byte, and ten a field.

        Raises:
            ServiceError: OPTION_INVALID: they are no message, or a list is too long.
                PROGRAM_TOO_LARGE: the same within a program, or the parts are too many.
        """
        tables = self._tables
        found = np.empty(6, dtype=np.int64)
        trail = np.empty((DEEPEST + 1, 2), dtype=np.int64)
        spans = np.empty((_MOST_SPANS, 4), dtype=np.int64) if with_maps else _NO_SPANS
        root = tables.types[kind.full_name]
        bytes_ = np.frombuffer(data, dtype=np.uint8)
        scan(bytes_, tables.numbers, tables.fields, root, MOST_PARTS, found, trail, spans)
        status, row, count, parts, num_spans, depth = found.tolist()
        if status == BAD_BYTES:
            raise invalid_message(kind)
        if status == TOO_MANY_PARTS:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE,
                f"The request holds more than {MOST_PARTS:,} messages and texts. Split the job, or let "
                "instructions that are alike share an operation.",
                metadata={"limit": "max_parts", "max": str(MOST_PARTS), "actual": str(count)},
            )
        if status != WELL:
            raise self._refusal(status, row, count, trail[:depth].tolist())
        return Scanned(parts, spans[:num_spans])

    def _refusal(self, status: int, row: int, count: int, trail: Sequence[Sequence[int]]) -> ServiceError:
        field = self._tables.rows[row]
        most = int(self._tables.fields[row, MOST if status == TOO_MANY else LONGEST])
        path = self._path(trail, row)
        if field.full_name in TEXTS:
            limit = "max_program_bytes"
            message = (
                f"the text has {count:,} bytes, and the most is {most:,}; "
                "send a shorter program or a typed circuit"
            )
        elif field.full_name == _PROGRAMS:
            limit = "max_programs"
            message = f"a job has at most {most:,} programs, and this one has more; split it"
        else:
            limit = SETTINGS.get(field.full_name, field.full_name)
            what = f"{count:,} elements" if status == TOO_MANY else f"{count:,} bytes"
            message = f"it has {what} or more, and the most is {most:,}"
        programs = any(self._tables.rows[step].full_name == _PROGRAMS for step, _ in [*trail, (row, 0)])
        return ServiceError(
            error_reason_pb2.ERROR_REASON_PROGRAM_TOO_LARGE
            if programs
            else error_reason_pb2.ERROR_REASON_OPTION_INVALID,
            f"{path}: {message}.",
            metadata={"limit": limit, "max": str(most), "actual": str(count), "field": path},
            field=path,
        )

    def _path(self, trail: Sequence[Sequence[int]], row: int) -> str:
        """Where a field is, in the contract's notation, from the request on."""
        steps = []
        for step, element in trail:
            field = self._tables.rows[step]
            steps.append(f"{field.name}[{element}]" if field.is_repeated else field.name)
        return ".".join([*steps, self._tables.rows[row].name])


def invalid_message(kind: Any) -> ServiceError:
    """Return the refusal of bytes that are no message of this type."""
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID,
        f"The request is not a valid {kind.full_name} message: its bytes are damaged, "
        f"its text is not UTF-8, or it is nested more than {DEEPEST} levels deep.",
        metadata={"field": ""},
    )
