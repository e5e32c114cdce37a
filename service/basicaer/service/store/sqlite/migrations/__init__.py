"""How a store of an earlier version becomes one of this version, by Alembic.

A revision is a file in `versions`; it is never changed once it was released. `_schema` holds what all of them
lead to, and imports this package only for a file that needs it, since Alembic costs half a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import StaticPool, create_engine

__all__ = ["upgrade"]


def upgrade(connection: sqlite3.Connection, directory: Path, known: str | None, marks: Sequence[str]) -> None:
    """Brings a database up to date in one transaction, at whose end the statements `marks` are run.

    `directory` is the data directory. `known` is the revision of a file that was made before there was
    Alembic; None for one that says so itself.
    """
    # The connection is the caller's and stays open: hence no pool that would close it.
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["directory"] = directory
    # Alembic leaves a transaction alone that was begun before it came.
    with engine.connect() as bound, bound.begin():
        config.attributes["connection"] = bound
        bound.exec_driver_sql("BEGIN IMMEDIATE")
        if known is not None:
            command.stamp(config, known)
        command.upgrade(config, "head")
        for mark in marks:
            bound.exec_driver_sql(mark)
