"""What Alembic runs for each command: the revisions, on the connection that `upgrade` was given."""

from __future__ import annotations

from alembic import context

# SQLite's DDL is transactional; the transaction is the caller's.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
