"""Log lines, as text for people or as JSON for machines: one line for each event, with time, level, logger,
message and fields; among these the job and the principal that the code is about.

Lines are written by a thread of their own, so that a terminal or a pipe that nobody reads can't hold up the
event loop. What it can't keep up with is dropped and counted, rather than kept without end.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import queue
import re
import sys
import time
from typing import Any, TextIO

from basicaer.service.telemetry._context import JOB_ID, PRINCIPAL

__all__ = ["FORMATS", "Logs", "event"]

FORMATS = ("text", "json")

# Lines that may wait for the thread.
_MOST_WAITING = 10_000
_PLAIN = re.compile(r"[^\s\"=\x00-\x1f\x7f]+")
# A line is one line, whatever a caller manages to put into it.
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


def event(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log an event with fields, without the empty ones. `job_id` and `principal` go before what is bound."""
    if logger.isEnabledFor(level):
        logger.log(level, message, extra={"fields": {k: v for k, v in fields.items() if v != ""}})


class Logs:
    """The process' log, on stderr unless told otherwise, until it is closed."""

    def __init__(self, level: str, style: str, stream: TextIO | None = None) -> None:
        """Take over all loggers. `level` is a level's name, `style` one of FORMATS."""
        self._queue: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING)
        handler = _QueueHandler(self._queue)
        writer = _Writer(stream or sys.stderr, handler)
        writer.setFormatter(_JsonFormatter() if style == "json" else _TextFormatter())
        self._listener = logging.handlers.QueueListener(self._queue, writer)
        self._listener.start()
        logging.basicConfig(level=level.upper(), handlers=[handler], force=True)

    def close(self) -> None:
        """Write what waits, and end. Later lines are lost. Idempotent."""
        if self._listener._thread is not None:
            self._listener.stop()


class _QueueHandler(logging.handlers.QueueHandler):
    """Completes a record where it is made, since its context is there, and hands it over."""

    def __init__(self, waiting: queue.Queue[logging.LogRecord]) -> None:
        super().__init__(waiting)
        self.dropped = 0

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
            self.dropped += 1


class _Writer(logging.StreamHandler[TextIO]):
    """Writes lines, and how many are missing before one."""

    def __init__(self, stream: TextIO, source: _QueueHandler) -> None:
        super().__init__(stream)
        self._source = source

    def emit(self, record: logging.LogRecord) -> None:
        dropped, self._source.dropped = self._source.dropped, 0
        if dropped:
            text = f"{dropped} lines are missing: they came faster than they could be written"
            super().emit(logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None))
        super().emit(record)


class _TextFormatter(logging.Formatter):
    """`TIME LEVEL LOGGER: message name=value …`; a defect's traceback follows its line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        text = _BREAKS.sub(lambda found: ascii(found[0])[1:-1], record.getMessage())
        line = f"{_time(record)} {record.levelname} {record.name}: {text}"
        line += "".join(f" {name}={_shown(value)}" for name, value in fields.items())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


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
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
