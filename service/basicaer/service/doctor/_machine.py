"""The machine: the data directory and its disk, memory, huge pages, the clock, and compiled kernels."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

from basicaer.service.config import Config, available_memory
from basicaer.service.doctor._finding import Finding
from basicaer.service.store import obstacle, user_name

__all__ = ["clock", "data_directory", "descriptors", "free_space", "huge_pages", "kernels", "memory"]

_GIB = 1 << 30
# Below the first nothing can be promised, below the second it is time to act (bytes).
_LEAST_SPACE, _LITTLE_SPACE = 256 << 20, 4 * _GIB
# Each connection takes a descriptor, beside about a hundred of the server's own.
_LEAST_DESCRIPTORS, _FEW_DESCRIPTORS = 256, 4096
# A file of a server that was stopped a moment ago may be a little ahead of a clock that was set (seconds).
_CLOCK_SLACK = 5.0
# Loading the kernels takes a second or two, compiling them about half a minute.
_LOADING = 20.0
# What adjtimex(2) returns when nothing keeps the clock right.
_TIME_ERROR = 5
_KERNELS = "from basicaer.simulator import warm_up; warm_up('c16'); warm_up('c8')"


def _existing(path: Path) -> Path:
    """Return the path, or the folder in which it would be made."""
    path = path.absolute()
    while not _is_there(path):
        path = path.parent
    return path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # In a folder that this user may not enter.
        return False


def data_directory(config: Config) -> Finding:
    """Whether the server may write its data directory, and whether others may read it."""
    check, path = "data directory", config.data_dir
    place = _existing(path)
    if not place.is_dir():
        return Finding.failed(check, f"{place} is not a directory", "Set --data-dir to a directory.")
    if (found := obstacle(place)) is not None:
        return Finding.failed(check, found.seen, found.remedy)
    if not _is_there(path):
        return Finding.ok(check, f"{path} will be made")
    for file in sorted(path.iterdir()):
        if (found := obstacle(file)) is not None:
            return Finding.failed(check, found.seen, found.remedy)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding.warning(
            check,
            f"{path} can be read by other accounts, with all programs and results",
            f"chmod 700 {path}",
        )
    return Finding.ok(check, f"{path} is {user_name(os.geteuid())}'s alone")


def free_space(config: Config) -> Finding:
    """Whether results fit on the disk."""
    check, place = "free space", _existing(config.data_dir)
    free = shutil.disk_usage(place).free
    seen = f"{_size(free)} free for {config.data_dir}"
    remedy = "Free some, move --data-dir to a larger disk, or lower --result-retention."
    if free < _LEAST_SPACE:
        return Finding.failed(check, seen, remedy)
    return Finding.warning(check, seen, remedy) if free < _LITTLE_SPACE else Finding.ok(check, seen)


def memory(config: Config) -> Finding:
    """Whether there is the memory that jobs may take together."""
    check, budget = "memory", config.max_memory_bytes
    available = available_memory()
    seen = f"jobs may take {_size(budget)} of {_size(available)} that are free"
    if budget > available:
        return Finding.failed(
            check,
            f"{seen}: the kernel would kill the server",
            f"Set --max-memory-bytes to at most {available * 8 // 10}, or raise the container's limit. (If a "
            "server runs here now, it has taken what is missing: ask again without it.)",
        )
    if budget > available * 9 // 10:
        remedy = f"Leave some for the server itself: --max-memory-bytes {available * 8 // 10}"
        return Finding.warning(check, seen, remedy)
    return Finding.ok(check, seen)


def descriptors() -> Finding:
    """Whether the server may open enough files and connections; it asks for as many as it may have."""
    check, most = "descriptors", resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY:
        return Finding.ok(check, "as many files and connections as it likes")
    seen = f"{most:,} files and connections"
    remedy = (
        "Raise the hard limit: LimitNOFILE=65536 in a systemd unit, --ulimit nofile=65536 for a container."
    )
    if most < _LEAST_DESCRIPTORS:
        return Finding.failed(check, seen, remedy)
    return Finding.warning(check, seen, remedy) if most < _FEW_DESCRIPTORS else Finding.ok(check, seen)


def huge_pages(path: Path = Path("/sys/kernel/mm/transparent_hugepage/enabled")) -> Finding:
    """Whether large states get huge pages, without which they are a good part slower."""
    check = "huge pages"
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return Finding.warning(check, "this kernel has none", "Large states are slower without them.")
    if "[never]" in text:
        return Finding.warning(
            check,
            "they are switched off",
            f"As root: echo madvise > {path}; large states are slower without.",
        )
    return Finding.ok(check, text.partition("[")[2].partition("]")[0])


def clock(config: Config) -> Finding:
    """Whether the clock is kept right: tokens, certificates and retention go by it."""
    check, directory = "clock", config.data_dir
    newest = max((file.stat().st_mtime for file in directory.glob("*")), default=0.0)
    ahead = newest - time.time()
    if ahead > _CLOCK_SLACK:
        return Finding.failed(
            check,
            f"it is {ahead:.0f} s behind the newest file in {directory}",
            "Set the clock, by chrony or systemd-timesyncd: jobs would expire late, and tokens count for too "
            "long.",
        )
    libc = ctypes.CDLL(None)
    # With nothing but zeros in its struct (208 bytes), adjtimex only reads.
    if hasattr(libc, "adjtimex") and libc.adjtimex(ctypes.create_string_buffer(512)) == _TIME_ERROR:
        return Finding.warning(
            check, "nothing keeps it right", "Run chrony or systemd-timesyncd on this machine."
        )
    return Finding.ok(check, "plausible")


def kernels() -> Finding:
    """Whether compiled kernels are on the disk for this processor and this user."""
    check = "kernels"
    began = time.monotonic()
    command = [sys.executable, "-c", _KERNELS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LOADING, check=False)
    except subprocess.TimeoutExpired:
        return Finding.warning(
            check,
            "they aren't compiled, or can't be kept: a first job waits about half a minute",
            "Start the server once as this user. If that doesn't help, set NUMBA_CACHE_DIR to a directory "
            "that it may write and that stays.",
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended silently"])[-1]
        return Finding.failed(
            check, f"they can't be loaded: {last}", "Install it again: pip install 'basicaer[service]'"
        )
    return Finding.ok(check, f"loaded in {time.monotonic() - began:.1f} s")


def _size(number: int) -> str:
    return f"{number / _GIB:.1f} GiB"
