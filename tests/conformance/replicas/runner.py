"""A runner whose jobs may be looked at twice."""

from __future__ import annotations

from typing import Any

from tests.conformance.runners import Runner

__all__ = ["UnvalidatedRunner"]


class UnvalidatedRunner(Runner):
    """Leaves VALIDATING out, which a job has when another server than the one that accepted it takes it up,
    and numbers events as though it weren't there. The scenarios are written so.
    """

    def __init__(self, command: str, address: str) -> None:
        super().__init__(command, address)
        # The sequences of each job's VALIDATING, and of the last event that was seen.
        self._left_out: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] != "watch":
            return super().ask(request)
        job_id, after = request["job_id"], request["after_sequence"]
        if self._left_out.get(job_id, after + 1) <= after < self._last[job_id]:
            request = {**request, "after_sequence": after + 1}
        reply = super().ask(request)
        events = reply.get("events", [])
        for event in events:
            self._last[job_id] = event["sequence"]
            if event["status"] == "VALIDATING":
                self._left_out[job_id] = event["sequence"]
        left_out = self._left_out.get(job_id)
        if left_out is None:
            return reply
        if events:
            reply["events"] = [
                _renumbered(event, left_out) for event in events if event["sequence"] != left_out
            ]
        told = reply.get("error", {}).get("metadata", {})
        if "last_sequence" in told:
            told["last_sequence"] = str(int(told["last_sequence"]) - 1)
        return reply


def _renumbered(event: dict[str, Any], left_out: int) -> dict[str, Any]:
    return {**event, "sequence": event["sequence"] - (event["sequence"] > left_out)}
