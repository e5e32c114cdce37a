"""The files beside the database: the lock that keeps a second server out, and large results.

A result's file is written under a temporary name, synced, renamed, and its directory synced, before the
database may refer to it. So a file that the database doesn't know is a leftover of a crash, or another
database's; see _leftovers.py.

Behind a result's bytes lie the checksums of each MiB of them, so that any range can be checked without
reading the rest:

    bytes │ CRC-32C of each MiB, 4 bytes each, little-endian
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import google_crc32c
from basicaer.service.errors import RETRY_AFTER, DataDirectoryError, ServiceError, StoreBusyError
from basicaer.service.store.sqlite._open_files import OpenFiles
from basicaer.v1 import error_reason_pb2

__all__ = [
    "TEMPORARY",
    "DirectoryLock",
    "ResultFile",
    "ResultFiles",
    "make_private",
    "size_without_checksums",
]

TEMPORARY = ".tmp"
# One write call at most; Linux takes no more than 2 GiB.
_WRITE_BYTES = 1 << 30
_BLOCK_BYTES = 1 << 20
_CRC_BYTES = 4


class DirectoryLock:
    """Held by the one process that uses a data directory; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            DataDirectoryError: Another process holds it, or the directory can't be written.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryError(
                f"{path} can't be written: {error.strerror}. Mend that, or choose another --data-dir."
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            process = f" (process {holder})" if holder else ""
            raise DataDirectoryError(
                f"Another server{process} uses {path.parent}; stop it, or choose another data directory."
            ) from error
        except OSError as error:
            os.close(self._descriptor)
            raise DataDirectoryError(
                f"{path} can't be locked: {error.strerror}. Choose a --data-dir on a disk of this machine."
            ) from error
        # Only for the message above; a full disk must not keep a server from starting.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Lets another process in."""
        os.close(self._descriptor)


def make_private(path: Path, *, new: bool) -> None:
    """Make a database the owner's alone, whatever the umask is; its log gets the rights that it has."""
    # Where others own it, it is theirs to say.
    with contextlib.suppress(OSError):
        if new:
            path.touch(mode=0o600)
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if file.exists():
                file.chmod(0o600)


class ResultFile:
    """An opened result: the parts' bytes, and the serialized Result. Reading goes on after the file was
    removed, unless so many others are read that it had to be closed meanwhile.
    """

    __slots__ = ("_files", "_path", "_size", "_sums", "message")

    def __init__(
        self, files: OpenFiles, path: Path | None, message: bytes | None, message_size: int, size: int
    ) -> None:
        """Open it: a file of `size` bytes and their checksums. `message` is None when it lies in the last
        `message_size` of these bytes.

        Raises:
            FileNotFoundError: The file is missing.
            ServiceError: CHECKSUM_MISMATCH: it is too short, or the message in it is damaged. STORE_BUSY: it
                can't be opened now.
        """
        self._files = files
        self._path: Path | None = None
        self._size = size
        self._sums: bytes | None = None
        if path is not None:
            files.hold(path)
            self._path = path
            with _readable(0), files.descriptor(path) as descriptor:
                stored = os.fstat(descriptor).st_size
            if stored != size:
                # Files of 0.1.0 have no checksums.
                self._sums = self._pread(size, -(-size // _BLOCK_BYTES) * _CRC_BYTES)
                if len(self._sums) < -(-size // _BLOCK_BYTES) * _CRC_BYTES:
                    raise _damaged(min(stored, size))
            if message is None:
                message = self.read_checked(size - message_size, message_size)
        self.message = message or b""

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the result's bytes.

        Raises:
            ServiceError: RESULT_EXPIRED: the file was removed while its reader waited. STORE_BUSY: it can't
                be read now.
        """
        try:
            return self._pread(offset, max(min(size, self._size - offset), 0))
        except FileNotFoundError:
            raise ServiceError(
                error_reason_pb2.ERROR_REASON_RESULT_EXPIRED,
                "The result was removed while it was being read; submit the job again.",
            ) from None

    def read_checked(self, offset: int, size: int) -> bytes:
        """Return the same, compared with the checksums.

        Raises:
            ServiceError: As `read`; CHECKSUM_MISMATCH.
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
        if self._path is None:
            return b""
        with _readable(offset), self._files.descriptor(self._path) as descriptor:
            data = os.pread(descriptor, size, offset)
            while 0 < len(data) < size:
                more = os.pread(descriptor, size - len(data), offset + len(data))
                if not more:
                    break
                data += more
        return data

    def close(self) -> None:
        """Lets go of the file. Idempotent."""
        path, self._path = self._path, None
        if path is not None:
            self._files.let_go(path)

    def __del__(self) -> None:
        self.close()


class ResultFiles:
    """A directory of result files."""

    def __init__(self, directory: Path) -> None:
        """Make the directory when it isn't there.

        Raises:
            DataDirectoryError: It can't be used.
        """
        self._directory = directory
        # Those that are read.
        self.open = OpenFiles()
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(PermissionError):
                directory.chmod(0o700)
            # Whether it can be read.
            next(directory.iterdir(), None)
        except FileExistsError:
            raise DataDirectoryError(f"{directory} is not a directory. Move it away.") from None
        except OSError as error:
            raise DataDirectoryError(
                f"{directory} can't be used: {error.strerror}. Mend that, or choose another --data-dir."
            ) from error

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self._directory / name

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Write the pieces, one behind the other, and their checksums, and sync them.

        Raises:
            StoreBusyError: There is no room for them; nothing is left behind.
        """
        temporary = self._directory / (name + TEMPORARY)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                sums = _Checksums()
                for data in _gathered(pieces):
                    _write_all(descriptor, data)
                    sums.add(data)
                _write_all(descriptor, memoryview(sums.packed()))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self._directory / name)
            self._sync()
        except OSError as error:
            self.remove(name + TEMPORARY)
            raise StoreBusyError(error.strerror or str(error)) from error

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()

    def leftovers(self, names: Collection[str]) -> list[str]:
        """All files but these."""
        return [path.name for path in self._directory.iterdir() if path.name not in names and path.is_file()]

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def size_without_checksums(path: Path) -> int | None:
    """Return the bytes of a result's file before its checksums; None when there is no file."""
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return size - _CRC_BYTES * -(-size // (_BLOCK_BYTES + _CRC_BYTES))


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
        """Return the checksums of all blocks; the last one may be short."""
        if self._room < _BLOCK_BYTES:
            self._end()
        return bytes(self._done)

    def _end(self) -> None:
        self._done += self._crc.to_bytes(_CRC_BYTES, "little")
        self._crc, self._room = 0, _BLOCK_BYTES


@contextlib.contextmanager
def _readable(offset: int) -> Iterator[None]:
    """Tells what is damaged from what can't be read for a while: no right to, or no descriptor left."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.EIO:
            raise _damaged(offset) from error
        raise ServiceError(
            error_reason_pb2.ERROR_REASON_STORE_BUSY,
            f"The stored result can't be read now ({error.strerror}); it isn't lost. Call again.",
            retry_after=RETRY_AFTER,
        ) from error


def _damaged(offset: int) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_CHECKSUM_MISMATCH,
        "The stored bytes of the result are damaged; submit the job again.",
        metadata={"part": "result", "offset": str(offset)},
    )


def _gathered(pieces: Iterable[bytes | memoryview]) -> Iterator[memoryview]:
    """Return the same bytes in pieces that are worth a call of the system's: small ones are put together."""
    small = bytearray()
    for piece in pieces:
        data = memoryview(piece).cast("B")
        if data.nbytes < _BLOCK_BYTES:
            small += data
        if small and (len(small) >= _BLOCK_BYTES or data.nbytes >= _BLOCK_BYTES):
            yield memoryview(small)
            small = bytearray()
        if data.nbytes >= _BLOCK_BYTES:
            yield data
    if small:
        yield memoryview(small)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data[:_WRITE_BYTES]) :]
