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


def _reclaimable(stat: Path, key: str) -> int:
    """Bytes of files that the kernel keeps in memory only until somebody needs it; they count as used."""
    try:
        lines = stat.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key} ")), 0)


def _groups(root: Path, own: Path) -> list[Path]:
    """Return the folders of this process' control groups of memory and of all above them, up to their roots.

    Within a container they usually lie at the root itself, whatever `own` (/proc/self/cgroup) tells.
    """
    found = [root, root / "memory"]
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0" or "memory" in controllers.split(","):
            top = root if number == "0" else root / "memory"
            parts = [part for part in path.split("/") if part]
            found += [top.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    return found


def _headroom(group: Path) -> int | None:
    """Bytes that a control group (v2 or v1) may still take; None when it has no limit."""
    for limit_name, usage_name, file_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _read_int(group / limit_name)
        if limit is not None and limit < _CGROUP_UNLIMITED:
            usage = (_read_int(group / usage_name) or 0) - _reclaimable(group / "memory.stat", file_name)
            return max(limit - usage, 0)
    return None


def available_memory(
    cgroup_root: Path = Path("/sys/fs/cgroup"),
    meminfo: Path = Path("/proc/meminfo"),
    own_cgroup: Path = Path("/proc/self/cgroup"),
) -> int:
    """Bytes that can be taken without swapping: the kernel's estimate, or less where a control group, this
    process' or one above it, allows less.
    """
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    headrooms = (_headroom(group) for group in _groups(cgroup_root, own_cgroup))
    return min([available, *(headroom for headroom in headrooms if headroom is not None)])
