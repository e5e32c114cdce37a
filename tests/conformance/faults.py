"""What goes wrong on the way between a client and a server, as planned, and what was asked meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Fault", "Journal"]


def _is(method: str, wanted: str) -> bool:
    """Whether a method is the wanted one; RunJob submits too, and watches besides."""
    return method == wanted or (method, wanted) == ("RunJob", "SubmitJob")


@dataclass(frozen=True)
class Fault:
    """What happens in place of passing on message number `after` (from 0) of an answer.

    drop     the call fails with UNAVAILABLE, as when a connection is cut
    end      the stream ends with OK
    swallow  the message is lost and the stream goes on
    corrupt  the first byte of a chunk's data is changed
    extend   an event of a kind yet to be invented comes first, and the message has a field yet to be invented

    `call` numbers the method's calls from 1, counting only those whose requests have the values of `where`;
    None stands for every second call, beginning with the first.
    """

    method: str
    after: int
    action: Literal["drop", "end", "swallow", "corrupt", "extend"]
    call: int | None = None
    where: dict[str, Any] = field(default_factory=dict)

    def matches(self, method: str, request: dict[str, Any]) -> bool:
        """Whether a call is one that `call` counts."""
        return _is(method, self.method) and self.where.items() <= request.items()

    def hits(self, number: int) -> bool:
        """Whether the call of that number breaks."""
        return number % 2 == 1 if self.call is None else number == self.call


class Journal:
    """What a proxy was asked, and the fault of each call."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._faults = faults
        self._lock = threading.Lock()

    def note(self, method: str, request: dict[str, Any]) -> Fault | None:
        """Keeps a request, in protobuf's JSON form, and returns what befalls its call."""
        with self._lock:
            self.requests.append((method, request))
            for fault in self._faults:
                number = sum(fault.matches(*earlier) for earlier in self.requests)
                if fault.matches(method, request) and fault.hits(number):
                    return fault
        return None

    def fields(self, method: str, field: str, where: dict[str, Any] | None = None) -> list[Any]:
        """The values of a field in all requests of a method that have the values of `where`."""
        wanted = (where or {}).items()
        return [
            request.get(field)
            for name, request in self.requests
            if _is(name, method) and wanted <= request.items()
        ]
