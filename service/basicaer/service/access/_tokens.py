"""Bearer tokens: made and revoked by the command line, looked up by the server, kept in a file that knows no
token.

A token is "basicaer_ID_SECRET". The ID is public and finds the row; the secret has 256 random bits, so its
SHA-256 tells nothing of it, and a slow hash, which protects guessable passwords, would only slow down every
call.

The file is SQLite, so that a running server and the command line may share it: each call's look-up sees
whatever was committed before, and a revocation needs neither a signal nor a restart.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from basicaer.service.errors import DataDirectoryError

__all__ = ["PREFIX", "ROLES", "Token", "TokenStore", "digest_of", "new_token", "token_id_of"]

PREFIX = "basicaer_"
ROLES = ("user", "admin")

# "BsAt", as the store of jobs has "BsAe".
_APPLICATION_ID = 0x42734174
_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
-- Times are in seconds since the epoch; those that are NULL have not come, or never will.
CREATE TABLE IF NOT EXISTS tokens (
    token_id TEXT PRIMARY KEY,
    -- Whose jobs the bearer's are. Several may have one name, so that a new one can replace an old one.
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    -- SHA-256 of the whole token.
    digest BLOB NOT NULL,
    create_time REAL NOT NULL,
    expire_time REAL,
    revoke_time REAL,
    last_used REAL
) STRICT;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS = "token_id, name, role, create_time, expire_time, revoke_time, last_used"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token, without what would let anyone use it. Times are seconds since the epoch."""

    token_id: str
    name: str
    role: str
    create_time: float
    expire_time: float | None
    revoke_time: float | None
    last_used: float | None

    def state(self, now: float) -> str:
        """Return "valid", "revoked" or "expired"."""
        if self.revoke_time is not None:
            return "revoked"
        return "valid" if self.expire_time is None or now < self.expire_time else "expired"


class _Connection(sqlite3.Connection):
    """A connection whose errors are all SQLite's: what a damaged file makes SQLite say need not be text."""

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        try:
            return super().execute(*arguments)
        except UnicodeDecodeError:
            raise sqlite3.DatabaseError("the file is damaged") from None


class TokenStore:
    """The tokens of one data directory. Each method may be called from any thread, one at a time."""

    def __init__(self, data_dir: Path) -> None:
        """Open the file, and make it when it isn't there, readable by its owner alone.

        Raises:
            DataDirectoryError: It can't be used.
        """
        path = data_dir / "tokens.sqlite3"
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            # Autocommit; a reader that finds the writer at work waits this many seconds.
            self._connection = sqlite3.connect(
                path, timeout=2.0, isolation_level=None, check_same_thread=False, factory=_Connection
            )
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise DataDirectoryError(
                f"{path} can't be used: {error}. It must belong to the user whom the server runs as."
            ) from error

    def _prepare(self, path: Path) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application not in (0, _APPLICATION_ID) or version > _VERSION:
            raise DataDirectoryError(f"{path} is another program's, or of a later version of BasicAer.")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if version < _VERSION:
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> TokenStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def create(self, name: str, role: str, lifetime: float | None) -> tuple[Token, str]:
        """Make a token that is valid for `lifetime` seconds (None: for ever); return it with its text.

        The text is nowhere else, and can't be had again.
        """
        token, text = new_token(name, role, lifetime)
        with self._transaction():
            self._connection.execute(
                "INSERT INTO tokens (token_id, name, role, digest, create_time, expire_time)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (token.token_id, name, role, digest_of(text), token.create_time, token.expire_time),
            )
        return token, text

    def tokens(self) -> Sequence[Token]:
        """Return all tokens, the newest first."""
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY create_time DESC")
        return [Token(*row) for row in rows]

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return all that is known of each: its id, its digest, its name, its role, and four times."""
        columns = _COLUMNS.replace("token_id,", "token_id, digest,")
        return self._connection.execute(f"SELECT {columns} FROM tokens").fetchall()

    def revoke(self, id_or_name: str) -> Sequence[Token]:
        """Revoke a token by its id, or all of a name; return those that were valid until now."""
        with self._transaction():
            rows = self._connection.execute(
                "UPDATE tokens SET revoke_time = ? WHERE (token_id = ? OR name = ?) AND revoke_time IS NULL"
                f" RETURNING {_COLUMNS}",
                (time.time(), id_or_name, id_or_name),
            ).fetchall()
        return [Token(*row) for row in rows]

    def find(self, token_id: str) -> Token | None:
        """Return a token by its id."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM tokens WHERE token_id = ?", (token_id,)
        ).fetchone()
        return Token(*row) if row else None

    def match(self, text: str) -> Token | None:
        """Return the token of a text, in whatever state it is; None when there is none."""
        if not text.isascii():
            # None of ours, and maybe nothing that SQLite takes for a text.
            return None
        token_id = token_id_of(text)
        row = self._connection.execute(
            f"SELECT digest, {_COLUMNS} FROM tokens WHERE token_id = ?", (token_id,)
        ).fetchone()
        # An id that isn't there takes the same time as a wrong secret.
        digest = row[0] if row else bytes(hashlib.sha256().digest_size)
        matches = hmac.compare_digest(digest, digest_of(text))
        return Token(*row[1:]) if row and matches else None

    def used(self, times: Mapping[str, float]) -> None:
        """Note when tokens were used last, by their ids."""
        with self._transaction():
            self._connection.executemany(
                "UPDATE tokens SET last_used = ? WHERE token_id = ?",
                [(when, token_id) for token_id, when in times.items()],
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def new_token(name: str, role: str, lifetime: float | None) -> tuple[Token, str]:
    """Make a token that is valid for `lifetime` seconds (None: for ever), and its text."""
    now = time.time()
    token_id = secrets.token_hex(4)
    text = f"{PREFIX}{token_id}_{secrets.token_urlsafe(32)}"
    return Token(token_id, name, role, now, None if lifetime is None else now + lifetime, None, None), text


def token_id_of(text: str) -> str:
    """Return the public part of a token's text, if it is one's."""
    return text.removeprefix(PREFIX).partition("_")[0]


def digest_of(text: str) -> bytes:
    """Return what is kept of a token's text."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
