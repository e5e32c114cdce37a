"""Which executor a process has: its own threads, or the cluster that a setting names."""

from __future__ import annotations

import dataclasses

from basicaer.service.config import Config
from basicaer.service.errors import SettingError, installed
from basicaer.service.execution._interface import ServiceExecutor
from basicaer.service.execution.executor import ThreadExecutor

__all__ = ["new_executor"]


def new_executor(config: Config, role: str) -> tuple[ServiceExecutor, Config]:
    """Return the executor, and the settings as they are with it: on a cluster the memory is its nodes'.

    Make it on the process' main thread. `role` is as in `Service`.

    Raises:
        SettingError: The cluster can't be used, or what it needs isn't installed.
    """
    if config.max_nodes > 1 and not config.database:
        raise SettingError(
            "max_nodes",
            "is for servers with --database, whose jobs 'basicaer work --executor' runs on a Ray cluster; a"
            " server alone has one node",
        )
    if not config.executor:
        return ThreadExecutor(config), config
    if role != "work":
        # Ray ends a process that was cut off from its head for a minute.
        raise SettingError(
            "executor",
            "a server that takes calls runs no cluster: start 'basicaer work' beside it, and let"
            " the server leave jobs to it with --no-run-jobs",
        )
    with installed("executor", "ray"):
        from basicaer.service.execution.ray import RayExecutor
    executor = RayExecutor(config)
    return executor, dataclasses.replace(config, max_memory_bytes=executor.total_bytes)
