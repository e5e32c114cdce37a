"""What a person can set about a server, with the defaults; every part of the service reads it from here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Config", "available_memory"]

_MIB = 1024 * 1024
_DAY = 86_400.0

# A limit above this stands for "no limit" in cgroup v1, which has no word for it.
_CGROUP_UNLIMITED = 1 << 60


def _read_int(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cgroup_headroom(root: Path) -> int | None:
    """Bytes that this process' control group (v2 or v1) may still take; None when it has no limit."""
    for limit_name, usage_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit = _read_int(root / limit_name)
        if limit is not None and limit < _CGROUP_UNLIMITED:
            return max(limit - (_read_int(root / usage_name) or 0), 0)
    return None


def available_memory(
    cgroup_root: Path = Path("/sys/fs/cgroup"), meminfo: Path = Path("/proc/meminfo")
) -> int:
    """Bytes that can be taken without swapping: the kernel's estimate, or less where a control group allows
    less.
    """
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    headroom = _cgroup_headroom(cgroup_root)
    return available if headroom is None else min(available, headroom)


def _default_memory() -> int:
    return available_memory() * 8 // 10


def _default_workers() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A server's settings. Sizes are in bytes, times in seconds; None for a time means for ever.

    Raises:
        ValueError: A value makes no sense; the message names the setting.
    """

    # Where to listen, as HOST:PORT; port 0 takes any free one.
    listen: str = "127.0.0.1:50051"
    # Where jobs and results are kept. One server at a time.
    data_dir: Path
    # Simulations that run at once.
    workers: int = field(default_factory=_default_workers)
    # Programs that are parsed and checked at once.
    validation_workers: int = 2
    # The memory that all running simulations may use together.
    max_memory_bytes: int = field(default_factory=_default_memory)
    # Jobs that wait.
    max_queued_jobs: int = 10_000
    # Jobs of one principal that wait. Callers without a name have the other limit alone.
    max_queued_jobs_per_principal: int = 5_000
    # Programs in a job.
    max_programs: int = 1_000
    # Shots of a program.
    max_shots: int = 10_000_000
    # A program's OpenQASM text.
    max_program_bytes: int = 16 * _MIB
    # A program's instructions after expansion.
    max_instructions: int = 10_000_000
    # A request message.
    max_message_bytes: int = 64 * _MIB
    # A result in RunJob's last message. Arrays that fit are returned inside of the Result.
    max_inline_result_bytes: int = 256 * 1024
    # Checked programs of waiting jobs that are kept in memory; others are read again when their turn comes.
    prepared_cache_bytes: int = 256 * _MIB
    # Recently finished jobs that are kept in memory, so that their readers don't cost a query.
    finished_cache_bytes: int = 32 * _MIB
    # How long a result is kept after its job has ended.
    result_retention: float | None = 30 * _DAY
    # How long a final job's events are kept; then only the last one is.
    event_retention: float | None = 30 * _DAY
    # How long a final job is kept at all; then its id isn't known any more.
    job_retention: float | None = 90 * _DAY
    # What all jobs and results may take on the disk; beyond it the oldest large results go, or the oldest
    # jobs, whichever take the most. None is no limit.
    max_stored_bytes: int | None = None
    # How often a job is started before it is given up because the server died each time.
    max_attempts: int = 3
    # How long one attempt at a job may run; then the job ends with TIME_LIMIT_EXCEEDED.
    max_run_time: float | None = None
    # How many jobs may start before the first waiting job that needs more memory than is free.
    max_overtakes: int = 64
    # How long SIGTERM waits for running jobs; those that are not done by then start anew with the next
    # server.
    drain_grace: float = 10.0
    # How often progress and queue positions are told.
    progress_interval: float = 0.1
    # How often expired results and old events are looked for.
    sweep_interval: float = 60.0

    def __post_init__(self) -> None:
        for name in (
            "workers",
            "validation_workers",
            "max_memory_bytes",
            "max_queued_jobs",
            "max_queued_jobs_per_principal",
            "max_programs",
            "max_shots",
            "max_program_bytes",
            "max_instructions",
            "max_message_bytes",
            "max_attempts",
            "progress_interval",
            "sweep_interval",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than 0, but is {getattr(self, name)}")
        for name in (
            "max_inline_result_bytes",
            "prepared_cache_bytes",
            "finished_cache_bytes",
            "max_overtakes",
            "drain_grace",
            "result_retention",
            "event_retention",
            "job_retention",
            "max_run_time",
            "max_stored_bytes",
        ):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must not be negative, but is {value}")
