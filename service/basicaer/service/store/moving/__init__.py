"""Takes the jobs of a data directory over to a database: `source` reads the one, `target` writes the other.

`move` and `target` load asyncpg.
"""
