"""Goes through the rows at a start, compares them with their checksums, and mends the columns by which jobs
are found.

A damaged message is answered as such, and that is all. A damaged column does more: a repeated submission
isn't recognised, a job is missing from a list, a result's file belongs to nobody. Most can be told again: the
job's own message has its id, its request id, its backend, its status, its labels and its times, and what it
hasn't is looked for among the values that differ in one bit. The row's checksum says which is right; without
that nothing is changed.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from basicaer.service.store._sums import fits, origin_sum, result_sum, state_sum, try_sum
from basicaer.service.store.sqlite import _sql
from basicaer.service.store.sqlite._files import size_without_checksums
from basicaer.service.store.sqlite._rows import rows
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError

__all__ = ["mend_rows"]

_log = logging.getLogger(__name__)

_BATCH = 500
# So many damaged rows are searched; a disk that damages more needs a backup, not a search.
_SEARCHED = 1_000
# Callers whose name may be the one that is damaged.
_PRINCIPALS = 1_000
# Texts that are searched bit by bit.
_SEARCHED_BYTES = 1_024

_ORIGIN = ("job_id", "principal", "request_id", "request_hash", "backend_name", "create_time")
_STATE = ("job_id", "status", "sequence", "attempt", "crashes", "cancel_reason", "job", "events")
_RESULT = ("job_id", "result_file", "message_size", "file_bytes", "message")
_SWEEP_TIME, _FILE_BYTES = map(_sql.WHOLE_ROW.index, ("sweep_time", "file_bytes"))
# What is too large to be searched, and is never anything but what was stored.
_NOT_SEARCHED = ("job", "events", "message")

_Row = dict[str, Any]
# A function of a part's columns that gives its checksum.
_Sum = Callable[..., int]


def mend_rows(connection: sqlite3.Connection, results: Path) -> dict[str, str]:
    """Mends what it can, in one transaction.

    Returns:
        Request ids of jobs of which it isn't known any more who gave them, with the jobs' ids.

    Raises:
        sqlite3.Error: The database can't be read or written.
    """
    mender = _Mender(connection, results)
    connection.execute("BEGIN IMMEDIATE")
    try:
        mender.run()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return mender.doubtful


class _Mender:
    def __init__(self, connection: sqlite3.Connection, results: Path) -> None:
        self._connection = connection
        self._results = results
        self._principals: list[str] | None = None
        self._damaged = 0
        self.doubtful: dict[str, str] = {}

    def run(self) -> None:
        last = -(2**63)
        stray_labels = False
        while batch := rows(self._connection, _sql.WHOLE_ROWS, (last, _BATCH)):
            last = batch[-1][0]
            whole: dict[str, job_pb2.Job] = {}
            for values in batch:
                job = _whole_job(values)
                if job is None or not _in_time(job, values[_SWEEP_TIME], values[_FILE_BYTES]):
                    job = self._row(dict(zip(_sql.WHOLE_ROW, values, strict=True)))
                if job is not None:
                    whole[job.job_id] = job
            stray_labels |= self._labels(whole)
        if stray_labels:
            self._connection.execute(_sql.DELETE_STRAY_LABELS)

    def _row(self, row: _Row) -> job_pb2.Job | None:
        """Mends a row; its message, if that is what was stored."""
        whole = (
            _fits(row, _ORIGIN, origin_sum, "origin_sum"),
            _fits(row, _STATE, state_sum, "state_sum"),
            _fits(row, _RESULT, result_sum, "result_sum"),
        )
        if all(whole):
            job = _message(row["job"])
            self._sweep_time(row, job)
            return job
        self._damaged += 1
        number, shown = row["number"], row["job_id"]
        job = _message(row["job"])
        told = _told(job)
        state = self._search(row, _STATE, state_sum, "state_sum", [told])
        origin = self._search(
            row,
            _ORIGIN,
            origin_sum,
            "origin_sum",
            [told, *({**told, "principal": name} for name in self._known_principals())],
        )
        changes = {**(state or {}), **(origin or {})}
        if not self._update(row, changes):
            state = origin = None
        result = self._result(row)
        mended = sorted({*changes, *result} if state is not None or origin is not None else result)
        if mended:
            _log.error("job %s: damage to its row was mended (%s)", row["job_id"], ", ".join(mended))
        if origin is None:
            _log.error(
                "job %r is damaged, and who submitted it isn't known for certain; delete it", str(shown)
            )
            for request_id in (row["request_id"], told.get("request_id")):
                if request_id:
                    self.doubtful[request_id] = str(self._find_id(number))
        if state is None:
            return None
        job = _message(row["job"])
        self._sweep_time(row, job)
        return job

    def _search(
        self, row: _Row, names: tuple[str, ...], function: _Sum, its_sum: str, told: list[_Row]
    ) -> _Row | None:
        """Return what has to be changed for a part to fit its checksum; None when that isn't known."""
        if _fits(row, names, function, its_sum):
            return {}
        if self._damaged > _SEARCHED:
            return None
        values = {name: row[name] for name in names}
        stored = row[its_sum]
        for alternative in [{}, *told]:
            base = {**values, **{name: value for name, value in alternative.items() if name in names}}
            for tried in _near(base):
                if fits(function, (tried[name] for name in names), stored):
                    return {name: tried[name] for name in names if tried[name] != values[name]}
        first = {**values, **{name: value for name, value in told[0].items() if name in names}}
        right = try_sum(function, (first[name] for name in names))
        agrees = first == values and right is not None and isinstance(stored, int)
        # The checksum itself, when everything else agrees with the message.
        if agrees and _is_bit(right ^ stored):
            return {its_sum: right}
        return None

    def _result(self, row: _Row) -> _Row:
        """Mends what is known of a row's result; what was changed."""
        found = rows(self._connection, _sql.FIND_RESULT, (row["job_id"],)) if _is_text(row["job_id"]) else []
        for file, message_size, file_bytes, message, its_sum in found:
            row.update(
                result_file=file,
                message_size=message_size,
                file_bytes=file_bytes,
                message=message,
                result_sum=its_sum,
            )
            attempt = row["attempt"]
            name = f"{row['job_id']}-{attempt}"
            size = size_without_checksums(self._results / name)
            told: list[_Row] = [{}]
            if size is not None:
                told += [{"result_file": name}, {"file_bytes": size}]
            changes = self._search(row, _RESULT, result_sum, "result_sum", told)
            if changes is not None:
                changes.pop("job_id", None)
            elif isinstance(file_bytes, int) and file_bytes > (size or 0):
                # It counts for no more than there is, so that no other result has to make room.
                changes = {"file_bytes": size or 0}
            if changes and self._update(row, changes):
                return changes
        return {}

    def _sweep_time(self, row: _Row, job: job_pb2.Job | None) -> None:
        """No checksum has it: a result isn't looked at later than it expires."""
        if job is not None and not _in_time(job, row["sweep_time"], row["file_bytes"]):
            self._update(row, {"sweep_time": job.result_expire_time.ToNanoseconds()})

    def _labels(self, jobs: Mapping[str, job_pb2.Job]) -> bool:
        """Make the labels' rows of whole jobs what their messages say; whether one wasn't."""
        there: dict[str, dict[str, str]] = {job_id: {} for job_id in jobs}
        double = set()
        for job_id, key, value in rows(self._connection, _sql.LABELS_OF, (json.dumps(list(jobs)),)):
            if key in there[job_id]:
                double.add(job_id)
            there[job_id][key] = value
        changed = False
        for job_id, job in jobs.items():
            true = dict(job.labels)
            if there[job_id] == true and job_id not in double:
                continue
            changed = True
            self._connection.execute(_sql.DELETE_LABELS, (job_id,))
            self._connection.executemany(
                _sql.INSERT_LABEL, [(key, value, job_id) for key, value in true.items()]
            )
            _log.error("job %s: damage to its labels was mended", job_id)
        return changed

    def _update(self, row: _Row, changes: _Row) -> bool:
        """Write columns of a row; False when another row has what is unique."""
        if not changes:
            return True
        try:
            self._connection.execute(_sql.mend_row(tuple(changes)), (*changes.values(), row["number"]))
        except sqlite3.IntegrityError:
            return False
        row.update(changes)
        return True

    def _known_principals(self) -> list[str]:
        if self._principals is None:
            found = rows(self._connection, _sql.PRINCIPALS, (_PRINCIPALS,))
            self._principals = [name for (name,) in found if _is_text(name)]
        return self._principals

    def _find_id(self, number: int) -> object:
        ((job_id,),) = rows(self._connection, _sql.ID_OF, (number,))
        return job_id


def _whole_job(values: Sequence[Any]) -> job_pb2.Job | None:
    """Return the message of a row that is as it was stored, as most are: so without any detour."""
    job_id, *origin = values[1:7]
    status, sequence, attempt, crashes, cancel_reason, _, job, events = values[7:15]
    *result, origin_is, state_is, result_is = values[15:]
    try:
        well = (
            origin_sum(job_id, *origin) == origin_is
            and state_sum(job_id, status, sequence, attempt, crashes, cancel_reason, job, events) == state_is
            and result_sum(job_id, *result) == result_is
        )
        return _message(job) if well else None
    except (TypeError, UnicodeError):
        return None


def _in_time(job: job_pb2.Job, sweep_time: int | None, file_bytes: int | None) -> bool:
    """Whether a row with a result is looked at by the time at which that expires."""
    if file_bytes is None or job.status not in _sql.FINAL or not job.HasField("result_expire_time"):
        return True
    return sweep_time is not None and sweep_time <= job.result_expire_time.ToNanoseconds()


def _told(job: job_pb2.Job | None) -> _Row:
    """Return the columns that a job's message has, too."""
    if job is None:
        return {}
    return {
        "job_id": job.job_id,
        "request_id": job.request_id or None,
        "backend_name": job.backend_name,
        "create_time": job.create_time.ToNanoseconds(),
        "status": job.status,
        "sequence": job.sequence,
        "attempt": job.attempt,
    }


def _message(data: object) -> job_pb2.Job | None:
    if isinstance(data, bytes):
        with suppress(DecodeError):
            return job_pb2.Job.FromString(data)
    return None


def _fits(row: _Row, names: tuple[str, ...], function: _Sum, its_sum: str) -> bool:
    return fits(function, (row[name] for name in names), row[its_sum])


def _near(values: _Row) -> Iterator[_Row]:
    """Return these values, then those that differ from them in one bit."""
    yield values
    for name, value in values.items():
        if name not in _NOT_SEARCHED:
            for other in _flipped(value):
                yield {**values, name: other}


def _flipped(value: object) -> Iterator[object]:
    if isinstance(value, int):
        yield from (value ^ (1 << bit) for bit in range(63))
        yield value - 2**63 if value >= 0 else value + 2**63
    elif isinstance(value, str | bytes):
        data = value.encode(errors="surrogateescape") if isinstance(value, str) else value
        if len(data) > _SEARCHED_BYTES:
            return
        for place in range(len(data)):
            for bit in range(8):
                other = data[:place] + bytes((data[place] ^ (1 << bit),)) + data[place + 1 :]
                if isinstance(value, bytes):
                    yield other
                else:
                    with suppress(UnicodeDecodeError):
                        yield other.decode()


def _is_bit(difference: int) -> bool:
    return (difference & (2**64 - 1)).bit_count() == 1


def _is_text(value: object) -> bool:
    """Whether SQLite takes it."""
    try:
        return isinstance(value, str) and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False
