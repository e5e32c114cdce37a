"""PostgreSQL, and servers on it, for a benchmark. The database is the system's, with its own settings but for
where it listens: what it has acknowledged is on the disk.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks._servers import real_server
from tests.postgresql import running

__all__ = ["cluster"]


@contextlib.contextmanager
def cluster(*servers: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Run a new database, and servers on it with these options; yield its URL and their addresses."""
    with tempfile.TemporaryDirectory() as made, running() as database, contextlib.ExitStack() as stack:
        addresses = []
        for number, options in enumerate(servers):
            data = str(Path(made, f"data-{number}"))
            shared = ("--http-listen", "none", "--drain-grace", "0s", "--database", database.base_url)
            address, _ = stack.enter_context(real_server(data, *shared, *options))
            addresses.append(address)
        yield database.base_url, addresses
