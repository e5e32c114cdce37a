"""Log lines, as text for people or as JSON for machines: one line for each event, with time, level, logger,
message and fields; among these the job and the principal that the code is about.

Lines are written by a thread of their own, so that a terminal or a pipe that nobody reads can't hold up the
event loop. What it can't keep up with is dropped and counted, rather than kept without end.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import queue
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc.aio
from basicaer.service.printable import printable
from basicaer.service.telemetry._context import JOB_ID, PRINCIPAL

__all__ = ["FORMATS", "Logs", "event"]

FORMATS = ("text", "json")

# Lines that may wait for the thread.
_MOST_WAITING = 10_000
# How long the end waits for somebody who doesn't read (seconds).
_PATIENCE = 2.0
_PLAIN = re.compile(r"[^\s\"=\x00-\x1f\x7f]+")


def event(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log an event with fields, without the empty ones. `job_id` and `principal` go before what is bound."""
    if logger.isEnabledFor(level):
        logger.log(level, message, extra={"fields": {k: v for k, v in fields.items() if v != ""}})


class Logs:
    """The process' log, on stderr unless told otherwise, until it is closed."""

    def __init__(self, level: str, style: str, write: Callable[[bytes], None] | None = None) -> None:
        """Take over all loggers. `level` is a level's name, `style` one of FORMATS."""
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(_MOST_WAITING)
        self._handler = _QueueHandler(self._queue)
        self._handler.addFilter(_is_news)
        self._formatter = _JsonFormatter() if style == "json" else _TextFormatter()
        self._write = write or _to_stderr
        # A daemon, since a terminal that takes nothing must not keep the process.
        self.thread = threading.Thread(target=self._run, name="log", daemon=True)
        self.thread.start()
        logging.basicConfig(level=level.upper(), handlers=[self._handler], force=True)

    def close(self) -> None:
        """Write what waits, if that is possible soon, and end. Later lines are lost. Idempotent."""
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except queue.Full:
            return
        self.thread.join(_PATIENCE)

    def _run(self) -> None:
        while (record := self._queue.get()) is not None:
            try:
                lines = self._lines(record)
            except Exception as error:
                # What somebody's object says of itself; the lines that follow are none of its business.
                lines = self._lines(_notice(f"a line of {record.name!r} can't be shown: {error!r}"))
            try:
                self._write(lines.encode(errors="backslashreplace"))
            except OSError:
                # Whoever read the log is gone; the server goes on.
                continue

    def _lines(self, record: logging.LogRecord) -> str:
        lines = self._formatter.format(record) + "\n"
        dropped = self._handler.take_dropped()
        if dropped:
            text = f"{dropped} lines are missing: they came faster than they could be written"
            lines = f"{self._formatter.format(_notice(text))}\n{lines}"
        return lines


def _notice(text: str) -> logging.LogRecord:
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is worth a line. To gRPC, a caller who leaves amid an answer is an error."""
    error = record.exc_info[1] if record.exc_info else None
    return not (record.name.startswith("grpc.") and isinstance(error, grpc.aio.InternalError))


def _to_stderr(data: bytes) -> None:
    # Not by sys.stderr, whose lock the interpreter wants at its end.
    while data:
        data = data[os.write(2, data) :]


class _QueueHandler(logging.handlers.QueueHandler):
    """Completes a record where it is made, since its context is there, and hands it over."""

    def __init__(self, waiting: queue.Queue[logging.LogRecord | None]) -> None:
        super().__init__(waiting)
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        # The arguments may change afterwards; how they look, and a traceback, is the thread's work.
        record.msg, record.args = record.getMessage(), None
        fields: dict[str, object] = dict(getattr(record, "fields", ()))
        for name, value in (("job_id", JOB_ID.get()), ("principal", PRINCIPAL.get())):
            if value:
                fields.setdefault(name, value)
        record.fields = fields
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def take_dropped(self) -> int:
        """Return how many lines there was no room for since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped


class _TextFormatter(logging.Formatter):
    """`TIME LEVEL LOGGER: message name=value …`; a defect's traceback follows its line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        # A line is one line, whatever a caller manages to put into it.
        text = printable(record.getMessage(), keep="\t")
        line = f"{_time(record)} {record.levelname} {record.name}: {text}"
        line += "".join(f" {name}={_shown(value)}" for name, value in fields.items())
        if record.exc_info:
            line += "\n" + printable(self.formatException(record.exc_info), keep="\n\t")
        return line


class _JsonFormatter(logging.Formatter):
    """One JSON object a line. `exception` has a defect's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        # As ASCII: whatever reads it, and whatever locale this process has.
        return json.dumps(document, separators=(",", ":"), default=str)


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if text.isprintable() and _PLAIN.fullmatch(text) else json.dumps(text)
