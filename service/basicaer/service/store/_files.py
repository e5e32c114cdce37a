"""The files beside the database: the lock that keeps a second server out, and large results.

A result's file is written under a temporary name, synced, renamed, and its directory synced, before the
database may refer to it. So a file that the database doesn't know is a leftover of a crash, and is removed at
the next start.

Behind a result's bytes lie the checksums of each MiB of them, so that any range can be checked without
reading the rest:

    bytes │ CRC-32C of each MiB, 4 bytes each, little-endian
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection, Sequence
from pathlib import Path

import google_crc32c
from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
from basicaer.v1 import error_reason_pb2

__all__ = ["DirectoryLock", "ResultFile", "ResultFiles"]

_TEMPORARY = ".tmp"
# One write call at most; Linux takes no more than 2 GiB.
_WRITE_BYTES = 1 << 30
_BLOCK_BYTES = 1 << 20
_CRC_BYTES = 4


class DirectoryLock:
    """Held by the one process that uses a data directory; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Takes the lock.

        Raises:
            DataDirectoryError: Another process holds it, or the directory can't be written.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DataDirectoryError(f"{path.parent} can't be written: {error.strerror}.") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            process = f" (process {holder})" if holder else ""
            raise DataDirectoryError(
                f"Another server{process} uses {path.parent}; stop it, or choose another data directory."
            ) from error
        # Only for the message above; a full disk must not keep a server from starting.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Lets another process in."""
        os.close(self._descriptor)


class ResultFile:
    """An opened result: the parts' bytes, and the serialized Result. Reading goes on after the file was
    removed.
    """

    __slots__ = ("_descriptor", "_size", "_sums", "message")

    def __init__(self, path: Path | None, message: bytes | None, message_size: int, size: int) -> None:
        """Opens it: a file of `size` bytes and their checksums. `message` is None when it lies in the last
        `message_size` of these bytes.

        Raises:
            OSError: The file is missing.
            ServiceError: CHECKSUM_MISMATCH: it is too short, or the message in it is damaged.
        """
        self._descriptor: int | None = None
        self._size = size
        self._sums: bytes | None = None
        if path is not None:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            stored = os.fstat(self._descriptor).st_size
            if stored != size:
                # Files of 0.1.0 have no checksums.
                self._sums = self._pread(size, -(-size // _BLOCK_BYTES) * _CRC_BYTES)
                if len(self._sums) < -(-size // _BLOCK_BYTES) * _CRC_BYTES:
                    raise _damaged(min(stored, size))
            if message is None:
                message = self.read_checked(size - message_size, message_size)
        self.message = message or b""

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the result's bytes."""
        return self._pread(offset, max(min(size, self._size - offset), 0))

    def read_checked(self, offset: int, size: int) -> bytes:
        """The same, compared with the checksums.

        Raises:
            ServiceError: CHECKSUM_MISMATCH.
        """
        if self._sums is None:
            return self.read(offset, size)
        first, end = offset // _BLOCK_BYTES, min(offset + size, self._size)
        start = first * _BLOCK_BYTES
        data = self.read(start, -(-end // _BLOCK_BYTES) * _BLOCK_BYTES - start)
        for number, at in enumerate(range(0, len(data), _BLOCK_BYTES), start=first):
            crc = int.from_bytes(self._sums[number * _CRC_BYTES : (number + 1) * _CRC_BYTES], "little")
            if google_crc32c.value(data[at : at + _BLOCK_BYTES]) != crc:
                raise _damaged(number * _BLOCK_BYTES)
        return data[offset - start : end - start]

    def _pread(self, offset: int, size: int) -> bytes:
        if self._descriptor is None:
            return b""
        data = os.pread(self._descriptor, size, offset)
        while 0 < len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Closes the file. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()


class ResultFiles:
    """A directory of result files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self._directory / name

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Writes the pieces, one behind the other, and their checksums, and syncs them.

        Raises:
            StoreBusyError: There is no room for them; nothing is left behind.
        """
        temporary = self._directory / (name + _TEMPORARY)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                sums = _Checksums()
                for piece in pieces:
                    data = memoryview(piece).cast("B")
                    _write_all(descriptor, data)
                    sums.add(data)
                _write_all(descriptor, memoryview(sums.packed()))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self._directory / name)
            self._sync()
        except OSError as error:
            self.remove(name + _TEMPORARY)
            raise StoreBusyError(error.strerror or str(error)) from error

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()

    def remove_all_but(self, names: Collection[str]) -> None:
        """Removes the leftovers of a crash."""
        for path in self._directory.iterdir():
            if path.name not in names:
                self.remove(path.name)

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Checksums:
    """Checksums of each block of a file, whose bytes come in pieces of any size."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._crc = 0
        self._room = _BLOCK_BYTES

    def add(self, data: memoryview) -> None:
        """Goes on with these bytes."""
        while data:
            some, data = data[: self._room], data[self._room :]
            self._crc = google_crc32c.extend(self._crc, bytes(some))
            self._room -= len(some)
            if self._room == 0:
                self._end()

    def packed(self) -> bytes:
        """The checksums of all blocks; the last one may be short."""
        if self._room < _BLOCK_BYTES:
            self._end()
        return bytes(self._done)

    def _end(self) -> None:
        self._done += self._crc.to_bytes(_CRC_BYTES, "little")
        self._crc, self._room = 0, _BLOCK_BYTES


def _damaged(offset: int) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
        "The stored bytes of the result are damaged; submit the job again.",
        metadata={"part": "result", "offset": str(offset)},
    )


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data[:_WRITE_BYTES]) :]
