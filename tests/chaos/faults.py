"""What goes wrong inside of a server: on purpose here, and by nature elsewhere.

Nothing of the service knows of this: the test's own server process (`nursery`) patches itself before it
serves, so there is no switch that could be left on in production.

    die_after          the process is killed between the commit of a group and its publication
    fail_syncs         fsync and fdatasync fail with EIO from now on, by a filter in the kernel
    PLANTS             defects that the checks must find
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
from collections.abc import Callable, Sequence
from typing import Any

from basicaer.service.jobs import JobManager
from basicaer.service.store import InsertJob, Write
from basicaer.service.store.sqlite._writer import Writer

__all__ = ["PLANTS", "die_after", "fail_syncs"]

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER = 1
_ALL_THREADS = 1
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
# The numbers of fsync, fdatasync and seccomp.
_SYSTEM_CALLS = {"x86_64": (74, 75, 317), "aarch64": (82, 83, 277)}


def die_after(commits: int) -> None:
    """Kills this process right after so many commits, before anybody is told of the last one."""
    left = commits
    commit = Writer._commit_group

    def commit_and_die(self: Writer, group: Sequence[Write]) -> None:
        nonlocal left
        commit(self, group)
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Writer._commit_group = commit_and_die  # type: ignore[method-assign]  # the fault


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def fail_syncs() -> None:
    """Makes every later fsync and fdatasync of this process fail with EIO; there is no way back.

    Raises:
        OSError: The kernel doesn't let us.
    """
    fsync, fdatasync, seccomp = _SYSTEM_CALLS[platform.machine()]
    instructions = (_Instruction * 5)(
        # Load the call's number; if it is one of the two, EIO; else go on.
        _Instruction(0x20, 0, 0, 0),
        _Instruction(0x15, 1, 0, fsync),
        _Instruction(0x15, 0, 1, fdatasync),
        _Instruction(0x06, 0, 0, _ERRNO | errno.EIO),
        _Instruction(0x06, 0, 0, _ALLOW),
    )
    program = _Program(len(instructions), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        seccomp, _SECCOMP_SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


def _publish_before_commit() -> None:
    """Tells readers and callers of a group before it is on disk."""
    commit = Writer._commit_group

    def publish_first(self: Writer, group: Sequence[Write]) -> None:
        self._listener(group)
        commit(self, group)

    def run(self: Writer) -> None:
        stopping = False
        while not stopping:
            group: list[Write] = []
            stopping = self._collect(group)
            if group:
                self._commit_group(group)

    Writer._commit_group = publish_first  # type: ignore[method-assign]  # the fault
    Writer._run = run  # type: ignore[method-assign]  # the fault


def _drop_an_event_on_reconnect() -> None:
    """A watch with a cursor begins one event too late."""
    watch = JobManager.watch

    async def skip(self: JobManager, job_id: str, after_sequence: int | None = None, **options: Any) -> Any:
        if after_sequence:
            entry = await self._registry.find(job_id)
            after_sequence = min(after_sequence + 1, entry.committed)
        return await watch(self, job_id, after_sequence, **options)

    JobManager.watch = skip  # type: ignore[method-assign]  # the fault


def _forget_a_request_id() -> None:
    """One in eight jobs is stored without its request id."""
    store = Writer.write
    count = 0

    def forget(self: Writer, write: Write) -> None:
        nonlocal count
        if isinstance(write, InsertJob):
            count += 1
            if count % 8 == 0:
                write.request_id = None
        store(self, write)

    Writer.write = forget  # type: ignore[method-assign]  # the fault


PLANTS: dict[str, Callable[[], None]] = {
    "publish-before-commit": _publish_before_commit,
    "drop-event-on-reconnect": _drop_an_event_on_reconnect,
    "forget-request-id": _forget_a_request_id,
}
