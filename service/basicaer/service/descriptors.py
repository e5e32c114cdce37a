"""Who gets how many of the files and connections that the process may have open.

Connections come from outside, as many as anybody likes. So they get what is left when everything that the
server itself must be able to open at any time has its share: the database, results, parser processes, and the
ports for metrics and probes.
"""

from __future__ import annotations

import resource

__all__ = ["BACKLOG", "MOST_PROBES", "MOST_SCRAPES", "connections", "open_results"]

BACKLOG = 2048
"""Connections of HTTP that wait to be taken."""
MOST_PROBES = 32
"""Connections to the port for health alone."""
MOST_SCRAPES = 16
"""Connections to the port for metrics."""

# Results that are read: an eighth, within these bounds.
_SHARE = 8
_FEWEST_RESULTS, _MOST_RESULTS = 4, 256
# Libraries, event loops, the database, listening sockets.
_OWN = 64
# A parser process has two pipes, and three more while it is started; a result is written to one file, and its
# folder is synced.
_EACH_PARSER, _EACH_WORKER = 6, 2
_FEWEST_CONNECTIONS = 8


def _allowed() -> int | None:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def open_results() -> int:
    """How many result files may be open to be read."""
    allowed = _allowed()
    if allowed is None:
        return _MOST_RESULTS
    return min(max(allowed // _SHARE, _FEWEST_RESULTS), _MOST_RESULTS)


def connections(parsers: int, workers: int, doors: int = 1) -> int | None:
    """How many connections callers may have at each of so many doors, so that these numbers of parser
    processes and workers have what they need; None when the process may open any number.
    """
    allowed = _allowed()
    if allowed is None:
        return None
    others = _OWN + open_results() + MOST_PROBES + MOST_SCRAPES
    others += _EACH_PARSER * parsers + _EACH_WORKER * workers
    return max((allowed - others) // doors, _FEWEST_CONNECTIONS)
