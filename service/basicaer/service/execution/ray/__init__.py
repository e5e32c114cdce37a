"""Runs jobs on the nodes of a Ray cluster, in actors that keep the engine warm.

`RayExecutor` is the `Executor` that `basicaer work --executor ray://…` has; `execution._choice` alone imports
it, since it needs Ray. What runs on the nodes is `actor`.
"""

from basicaer.service.execution.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
