"""Over how many nodes a job's states are spread: as many as are asked for, or as few as they fit into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from basicaer.service.errors import ServiceError, size_text
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.costs import required_bytes
from basicaer.service.execution.preparing.methods import AUTOMATIC, request_for
from basicaer.service.execution.preparing.programs import Cost
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.printable import printable
from basicaer.simulator import distributed
from basicaer.v1 import error_reason_pb2

__all__ = ["Programs", "Spreading", "spread", "spread_advice"]

# No cluster has more: what doesn't fit there is refused without a word of nodes.
_MOST_ADVISED = 4096
_FIELD = "options.nodes"


class Spreading(NamedTuple):
    """On how many nodes a job runs, what its programs cost on each, and the memory that it needs there."""

    nodes: int
    costs: Sequence[Cost]
    required_bytes: int


class Programs(NamedTuple):
    """Those of a job, and what they cost on one node. Their messages take `size` bytes."""

    runs: Sequence[ProgramRun]
    costs: Sequence[Cost]
    backend: Backend
    settings: Settings
    size: int
    max_inline_bytes: int

    def over(self, nodes: int, costs: Sequence[Cost]) -> Spreading:
        """Return the job on so many nodes, with these costs on each."""
        return Spreading(nodes, costs, self.size + required_bytes(self.runs, costs, self.max_inline_bytes))


def spread(job: Programs, max_nodes: int, most_bytes: Callable[[int], int]) -> Spreading:
    """Return over how many nodes a job is spread. `most_bytes` says what each of so many nodes has for it.

    Where nodes are asked for, all programs are spread; otherwise those that don't fit one node.

    Raises:
        ServiceError: OPTION_INVALID: nodes are asked for, and a program can't be spread.
    """
    nodes = job.settings.nodes
    if nodes > 1:
        costs = []
        for index, (run, its) in enumerate(zip(job.runs, job.costs, strict=True)):
            reason = _refusal(run, its, job.backend, job.settings, nodes)
            if reason is not None:
                raise _refused(reason, index, nodes)
            costs.append(_over(run, its, job.settings, nodes))
        return job.over(nodes, costs)
    alone = job.over(1, job.costs)
    if nodes == 1 or alone.required_bytes <= most_bytes(1):
        return alone
    for found in _tried(job, max_nodes, most_bytes):
        if found.required_bytes <= most_bytes(found.nodes):
            return found
    return alone


def spread_advice(job: Programs, max_nodes: int, available: int) -> str:
    """Return over how many nodes a job would fit that doesn't, as a sentence with a space before it; nothing
    where that helps nothing.
    """
    if any(its.nodes > 1 for its in job.costs):
        return ""
    for found in _tried(job, _MOST_ADVISED, lambda nodes: available):
        if found.required_bytes <= available:
            what = (
                "leave out the option nodes"
                if found.nodes <= max_nodes
                else f"which takes servers and workers with --max-nodes {found.nodes}"
            )
            return f" Its state fits when it is spread over {found.nodes} nodes of a cluster: {what}."
    return ""


def _tried(job: Programs, max_nodes: int, most_bytes: Callable[[int], int]) -> Iterator[Spreading]:
    """Return the job over 2 nodes, over 4 and so on, with those programs spread that need it."""
    large = [job.size + its.need > most_bytes(1) // 2 for its in job.costs]
    nodes = 2
    while nodes <= max_nodes:
        tried = [
            _over(run, its, job.settings, nodes)
            if is_large and _refusal(run, its, job.backend, job.settings, nodes) is None
            else its
            for run, its, is_large in zip(job.runs, job.costs, large, strict=True)
        ]
        if all(its.nodes == 1 for its in tried):
            return
        yield job.over(nodes, tried)
        nodes *= 2


def _refusal(run: ProgramRun, its: Cost, backend: Backend, settings: Settings, nodes: int) -> str | None:
    """Return what can't be done of a program over so many nodes, for people."""
    if backend.task is not Task.SHOTS:
        return f"{backend.name} gives all of a state or matrix"
    if run.program.gradients is not None:
        return "derivatives are read of states on one node"
    if settings.method not in (AUTOMATIC, "statevector"):
        return f"the method {settings.method} keeps its state on one node"
    if settings.nodes < nodes and its.method != "statevector":
        return f"the method {its.method} was chosen"
    return distributed.refusal(request_for(run, run.program.circuit, settings), nodes)


def _over(run: ProgramRun, its: Cost, settings: Settings, nodes: int) -> Cost:
    """Return what a program costs on each of so many nodes."""
    request = request_for(run, run.program.circuit, settings)
    state = distributed.rank_bytes(request.num_wires, request.dtype, 1)
    reason = f"a state vector of {size_text(state)} is spread over {nodes} nodes"
    need = distributed.required_bytes(request, nodes)
    return replace(its, method="statevector", reason=reason, need=need, is_short=False, nodes=nodes)


def _refused(reason: str, index: int, nodes: int) -> ServiceError:
    return ServiceError(
        error_reason_pb2.ERROR_REASON_OPTION_INVALID,
        f"{_FIELD}: programs[{index}] can't be spread over {nodes} nodes: {printable(reason)}",
        metadata={"program_index": str(index), "field": _FIELD},
        field=_FIELD,
    )
