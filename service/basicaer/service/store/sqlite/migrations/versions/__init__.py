"""One module for each change of the schema, which Alembic finds and runs in order; nothing else loads
them.
"""
