"""How much memory there is for simulations."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_memory"]

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
