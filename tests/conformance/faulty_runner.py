"""The Python runner with one fault planted, which the suite must find.

python -m tests.conformance.faulty_runner FAULT HOST:PORT
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from typing import Any

from basicaer.client import BasicAerProvider
from basicaer.client.results import _typed as typed
from basicaer.client.transport._chunks import Download
from basicaer.client.transport._transport import ThreadSubscription
from basicaer.client.transport._watch import WatchFlow

from tests.conformance.python_runner import PythonRunner, serve


def skip_event() -> None:
    """Resumes one event too late, and doesn't look for gaps."""
    flows: Any = WatchFlow
    stream = flows._stream

    def late(flow: Any) -> Any:
        if flow._cursor:
            flow._cursor += 1
        return stream(flow)

    flows._stream = late
    flows._follows = lambda *_: True


def big_endian() -> None:
    """Reads amplitudes with the most significant byte first."""
    downloads: Any = Download
    array = downloads.array
    downloads.array = lambda download: array(download).byteswap()


def new_request_id() -> None:
    """Makes another request id for each try of a submission."""
    subscriptions: Any = ThreadSubscription
    run = subscriptions.run

    def forgetful(self: ThreadSubscription, request: Any, ended: Callable[[], object]) -> None:
        request.request_id = uuid.uuid4().hex
        run(self, request, ended)

    subscriptions.run = forgetful


def no_sign() -> None:
    """Reads integers without their sign."""
    typed._signed = lambda fields, size: fields


FAULTS: dict[str, Callable[[], None]] = {
    "skip-event": skip_event,
    "big-endian": big_endian,
    "new-request-id": new_request_id,
    "no-sign": no_sign,
}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    with BasicAerProvider(sys.argv[2]) as connected:
        serve(PythonRunner(connected))
