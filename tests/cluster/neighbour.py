"""A neighbour of this version: the service's package with another version's name and one more migration, so
that processes of two versions share a database.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from basicaer import service

from tests.cluster.processes import Launch, launch

VERSION = "9.9.9"
# What servers of before don't notice, and what they wouldn't get along with.
ADDS = "ALTER TABLE jobs ADD COLUMN note text; ALTER TABLE servers ADD COLUMN colour text DEFAULT 'red';"
BREAKS = "UPDATE store SET compatible_since = '9999_neighbour'; ALTER TABLE jobs RENAME COLUMN turn TO place;"
_NAMED = '\n\ndef version() -> str:  # noqa: F811\n    return "{}"\n'


def neighbour(folder: Path, migration: str = ADDS) -> Launch:
    """Make a later version in a folder, whose last migration is this SQL; what starts its processes."""
    package = folder / "basicaer" / "service"
    ignored = shutil.ignore_patterns("__pycache__", "*.nb[ci]")
    shutil.copytree(Path(service.__path__[0]), package, ignore=ignored)
    with (package / "__init__.py").open("a") as out:
        out.write(_NAMED.format(VERSION))
    migrations = package / "store" / "postgresql" / "migrations"
    (migrations / "9999_neighbour.sql").write_text(migration)
    return partial(launch, environment={**os.environ, "PYTHONPATH": str(folder)})
