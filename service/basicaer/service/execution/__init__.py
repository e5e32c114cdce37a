"""Runs programs: checks and converts them, knows the backends and their options, and makes results.

`Executor` is what the jobs layer asks for; `ThreadExecutor` is the one of a single process, and
`new_executor` gives that or a cluster's, as the settings say.
"""

from basicaer.service.execution._choice import new_executor
from basicaer.service.execution._interface import (
    ExecutionControl,
    ExecutionLostError,
    ExecutionOutcome,
    Executor,
    PreparedJob,
    ResultPart,
)
from basicaer.service.execution.backends import backend_infos
from basicaer.service.execution.executor import ThreadExecutor

__all__ = [
    "ExecutionControl",
    "ExecutionLostError",
    "ExecutionOutcome",
    "Executor",
    "PreparedJob",
    "ResultPart",
    "ThreadExecutor",
    "backend_infos",
    "new_executor",
]
