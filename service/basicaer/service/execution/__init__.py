"""Runs programs: checks and converts them, knows the backends and their options, and makes results.

`Executor` is what the jobs layer asks for; `ThreadExecutor` is the one of a single process.
"""

from basicaer.service.execution._interface import (
    ExecutionControl,
    ExecutionOutcome,
    Executor,
    PreparedJob,
    ResultPart,
)
from basicaer.service.execution.backends import backend_infos
from basicaer.service.execution.executor import ThreadExecutor

__all__ = [
    "ExecutionControl",
    "ExecutionOutcome",
    "Executor",
    "PreparedJob",
    "ResultPart",
    "ThreadExecutor",
    "backend_infos",
]
