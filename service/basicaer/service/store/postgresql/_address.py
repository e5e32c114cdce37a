"""Where a database is: the URL that a setting holds, and how it may be told to people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

__all__ = ["Address"]

_DEFAULT_SCHEMA = "basicaer"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Address:
    """A database, and the schema in it that holds our tables."""

    # For asyncpg; may hold a password.
    url: str
    schema: str
    # Without the password, for messages.
    shown: str

    @classmethod
    def of(cls, database: str) -> Address:
        """Return the address in a URL such as postgresql://basicaer@db/jobs?sslmode=verify-full. Its
        parameter `search_path` names the schema, "basicaer" when there is none.

        Raises:
            ValueError: It isn't one; says why, without the password.
        """
        parts = urlsplit(database)
        if parts.scheme not in ("postgresql", "postgres"):
            raise ValueError("is not a URL such as postgresql://basicaer@db.example.org/jobs")
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        schema = dict(parameters).get("search_path", _DEFAULT_SCHEMA)
        if _SCHEMA.fullmatch(schema) is None:
            raise ValueError(
                f"search_path names one schema, in small letters, digits and underscores, not {schema!r}"
            )
        query = urlencode([(key, value) for key, value in parameters if key != "search_path"])
        host = dict(parameters).get("host") or parts.netloc.rpartition("@")[2] or "localhost"
        name = unquote(parts.path.lstrip("/")) or "the user's own"
        shown = f"{name} at {host}" if schema == _DEFAULT_SCHEMA else f"{name} at {host}, schema {schema}"
        return cls(urlunsplit(parts._replace(query=query)), schema, shown)
