"""A server in this process, for targets that call one: its loop has a thread, and its log is watched.

In this process, since a fuzzer then sees which lines of it a request has reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from basicaer.service.config import Config
from basicaer.service.main import Service
from basicaer.service.parsing import openqasm2
from google.rpc import error_details_pb2, status_pb2

from tests.conftest import open_channel

__all__ = ["Live", "live", "reason_of"]

_START_LIMIT, _STOP_LIMIT = 110.0, 60.0
# So that whatever is asked for, it isn't much and soon over (bytes, seconds).
_LIMITS: dict[str, Any] = {
    "workers": 2,
    "max_memory_bytes": 1 << 22,
    "max_shots": 2_000,
    "max_programs": 8,
    "max_rows": 64,
    "max_program_bytes": 20_000,
    "max_instructions": 2_000,
    "max_message_bytes": 1 << 18,
    "max_run_time": 0.2,
    "max_inline_result_bytes": 2_000,
    "job_retention": 20.0,
    "sweep_interval": 1.0,
    "progress_interval": 0.02,
    "drain_grace": 0.0,
}


class _Complaints(logging.Handler):
    """Keeps what the log holds of defects: errors, and whatever has a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.texts.append(logging.Formatter().format(record))


@dataclass
class Live:
    """A running server: `channel` leads to it, and `complaints` are the defects in its log."""

    address: str
    data_dir: Path
    channel: grpc.Channel
    _log: _Complaints = field(repr=False)

    def check(self) -> None:
        """Fails when the log has told of a defect since the last time."""
        complaints, self._log.texts = self._log.texts, []
        assert not complaints, "\n".join(complaints)


@contextlib.contextmanager
def live(folder: Path | None = None, **settings: Any) -> Iterator[Live]:
    """Runs a server with narrow limits, in `folder` or one that is removed afterwards."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basicaer-fuzz-")))
        config = Config(listen="127.0.0.1:0", data_dir=folder / "data", **{**_LIMITS, **settings})
        complaints = _Complaints()
        logging.getLogger().addHandler(complaints)
        stack.callback(logging.getLogger().removeHandler, complaints)
        address = stack.enter_context(_running(config))
        channel = stack.enter_context(open_channel(address))
        found = Live(address, config.data_dir, channel, complaints)
        yield found
        found.check()


@contextlib.contextmanager
def _running(config: Config) -> Iterator[str]:
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        async with Service(config) as service:
            started.set_result((service.address, lambda: loop.call_soon_threadsafe(stopping.set)))
            await stopping.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    # Qiskit's native part must be loaded by a thread that lives on, and a run has several servers.
    openqasm2.warm()
    thread = threading.Thread(target=run, name="fuzzed-server", daemon=True)
    thread.start()
    address, stop = started.result(_START_LIMIT)
    try:
        yield address
    finally:
        stop()
        thread.join(_STOP_LIMIT)
        assert not thread.is_alive(), "the server does not end"


def reason_of(error: Any) -> str:
    """Returns the reason that a failed call's details have; "" without any."""
    trailers = dict(error.trailing_metadata() or ())
    for detail in status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b"")).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
