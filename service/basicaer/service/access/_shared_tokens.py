"""The tokens of servers that share a database: one that is made or revoked by whoever reaches the database
counts at each of them within a second.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basicaer.service.access._tokens import Token, TokenStore, digest_of, new_token, token_id_of
from basicaer.service.store import database_setting
from basicaer.service.vital import Vital

if TYPE_CHECKING:
    from basicaer.service.store.postgresql import TokenTable

__all__ = ["SharedTokenStore", "migrate_tokens", "open_tokens"]

_COLUMNS = "token_id, name, role, create_time, expire_time, revoke_time, last_used"

_ADOPT = """
INSERT INTO tokens (token_id, digest, name, role, create_time, expire_time, revoke_time, last_used)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (token_id) DO UPDATE SET revoke_time = least(tokens.revoke_time, excluded.revoke_time)
"""


class SharedTokenStore:
    """Those of one database. It is used as `TokenStore` is."""

    def __init__(self, table: TokenTable) -> None:
        self._table = table

    def follow(self) -> None:
        """Answer `find` and `match` from memory, which is some tenths of a second old at most."""
        self._table.follow()

    def close(self) -> None:
        """Let go of the database."""
        self._table.close()

    def __enter__(self) -> SharedTokenStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def create(self, name: str, role: str, lifetime: float | None) -> tuple[Token, str]:
        """Make a token that is valid for `lifetime` seconds (None: for ever); return it with its text.

        Raises:
            ServiceError: STORE_BUSY.
        """
        token, text = new_token(name, role, lifetime)
        self._table.run(
            lambda connection: connection.execute(
                "INSERT INTO tokens (token_id, name, role, digest, create_time, expire_time)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                *(token.token_id, name, role, digest_of(text), token.create_time, token.expire_time),
            )
        )
        return token, text

    def tokens(self) -> Sequence[Token]:
        """Return all tokens, the newest first.

        Raises:
            ServiceError: STORE_BUSY.
        """
        found = [_token(row) for row in self._table.rows()]
        return sorted(found, key=lambda token: token.create_time, reverse=True)

    def adopt(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add tokens, as `TokenStore.rows` has them; of those that are there, a revocation counts.

        Raises:
            ServiceError: STORE_BUSY.
        """
        self._table.run(lambda connection: connection.executemany(_ADOPT, rows))

    def revoke(self, id_or_name: str) -> Sequence[Token]:
        """Revoke a token by its id, or all of a name; return those that were valid until now.

        Raises:
            ServiceError: STORE_BUSY.
        """

        async def query(connection: Any) -> Sequence[Sequence[Any]]:
            found: Sequence[Sequence[Any]] = await connection.fetch(
                "UPDATE tokens SET revoke_time = $1"
                f" WHERE (token_id = $2 OR name = $2) AND revoke_time IS NULL RETURNING {_COLUMNS}",
                *(time.time(), id_or_name),
            )
            return found

        return [Token(*row) for row in self._table.run(query)]

    def find(self, token_id: str) -> Token | None:
        """Return a token by its id.

        Raises:
            StoreBusyError: Nobody knows what was revoked lately.
        """
        row = self._table.seen(token_id)
        return None if row is None else _token(row)

    def match(self, text: str) -> Token | None:
        """Return the token of a text, in whatever state it is; None when there is none.

        Raises:
            StoreBusyError: Nobody knows what was revoked lately.
        """
        row = self._table.seen(token_id_of(text))
        matches = hmac.compare_digest(bytes(32) if row is None else row[1], digest_of(text))
        return _token(row) if row is not None and matches else None

    def used(self, times: Mapping[str, float]) -> None:
        """Note when tokens were used last, by their ids.

        Raises:
            ServiceError: STORE_BUSY.
        """
        rows = [(when, token_id) for token_id, when in times.items()]
        self._table.run(
            lambda connection: connection.executemany(
                "UPDATE tokens SET last_used = $1 WHERE token_id = $2", rows
            )
        )


def _token(row: Sequence[Any]) -> Token:
    token_id, _, *rest = row
    return Token(token_id, *rest)


def open_tokens(database: str, data_dir: Path, vital: Vital | None = None) -> TokenStore | SharedTokenStore:
    """Return the tokens of a service: those of its database, when it has one, or of its data directory.

    Raises:
        SettingError: `database` can't be used, or what it needs isn't installed.
        DataDirectoryError: They can't be opened.
    """
    if not database:
        return TokenStore(data_dir)
    with database_setting():
        from basicaer.service.store.postgresql import TokenTable

        return SharedTokenStore(TokenTable(database, vital))


def migrate_tokens(data_dir: Path, database: str) -> int:
    """Take a data directory's tokens over to a database; how many there are.

    Raises:
        SettingError, DataDirectoryError: As `open_tokens`.
        ServiceError: STORE_BUSY.
    """
    if not (data_dir / "tokens.sqlite3").exists():
        return 0
    with TokenStore(data_dir) as source:
        rows = source.rows()
    with open_tokens(database, data_dir) as target:
        assert isinstance(target, SharedTokenStore)
        target.adopt(rows)
    return len(rows)
