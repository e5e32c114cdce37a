"""The gate: from what a call brings along to who calls, and an end to calls whose right has ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from basicaer.service.access._names import is_name
from basicaer.service.access._refusals import permission_denied, unauthenticated
from basicaer.service.access._shared_tokens import SharedTokenStore, open_tokens
from basicaer.service.access._tokens import PREFIX, TokenStore
from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.errors import DataDirectoryError, ServiceError, StoreBusyError
from basicaer.service.vital import Vital

if TYPE_CHECKING:
    from basicaer.service.access._jwt import JwtVerifier

__all__ = ["Callers"]

_log = logging.getLogger(__name__)

# How often calls under way are looked at for a revoked token (seconds): so long a watch outlives one.
_REVIEW_INTERVAL = 0.5
# How often uses are noted in the token's row, and refusals in the log (seconds).
_NOTE_INTERVAL = 10.0


class Callers:
    """Tells who calls. `start` it on the server's event loop."""

    def __init__(self, config: Config, vital: Vital | None = None) -> None:
        """Read the keys, open the tokens.

        Raises:
            CredentialsFileError, DataDirectoryError: They can't be used.
        """
        self.open_to_all = not config.auth
        self._vital = vital or Vital()
        self._config = config
        self._jwt: JwtVerifier | None = None
        if "jwt" in config.auth:
            # Only then: it takes a while to import.
            from basicaer.service.access._jwt import JwtVerifier

            self._jwt = JwtVerifier(config)
        self._tokens: TokenStore | SharedTokenStore | None = None
        if "token" in config.auth:
            self._tokens = open_tokens(config.database, config.data_dir, self._vital)
            if isinstance(self._tokens, SharedTokenStore):
                self._tokens.follow()
        self._bearers = "token" in config.auth or self._jwt is not None
        self._certificates = "certificate" in config.auth
        self._sessions: dict[asyncio.Timeout, Caller] = {}
        self._used: dict[str, float] = {}
        self._refused: tuple[int, str, str] = (0, "", "")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look after calls under way."""
        if not self.open_to_all:
            self._task = self._vital.task("calls under way", self._review())

    async def close(self) -> None:
        """Note the last uses, and let go of the files. Idempotent."""
        if self._task is not None:
            await self._vital.cancel(self._task)
            self._task = None
        if self._tokens is not None:
            await self._note()
            self._tokens.close()
            self._tokens = None

    def bearer(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller | None:
        """Return who bears the token in a call's metadata; None when its certificate is to tell.

        Raises:
            ServiceError: UNAUTHENTICATED, PERMISSION_DENIED, STORE_BUSY.
        """
        if not self._bearers:
            return None
        given = [value for key, value in metadata if key == "authorization"]
        if not given:
            if self._certificates:
                return None
            raise unauthenticated(
                "missing",
                "This server wants to know who calls. Give a token: BasicAerProvider(token=...), "
                "BASICAER_TOKEN, --token-file, or the metadata 'authorization: Bearer TOKEN'.",
            )
        scheme, _, text = str(given[0]).partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not text:
            raise unauthenticated("malformed", "The metadata 'authorization' is not one 'Bearer TOKEN'.")
        if self._tokens is not None and (text.startswith(PREFIX) or self._jwt is None):
            return self._token_bearer(self._tokens, text)
        if self._jwt is not None:
            return self._jwt.caller(text)
        raise unauthenticated("unknown", "The token is not one of this server's.")

    def _token_bearer(self, tokens: TokenStore | SharedTokenStore, text: str) -> Caller:
        # A look-up on the loop's thread: one row by its key, mostly or always from memory, that never waits
        # for a writer (WAL); a way to another thread and back would take longer.
        try:
            token = tokens.match(text)
        except sqlite3.Error as error:
            raise StoreBusyError(f"tokens: {error}") from None
        if token is None:
            raise unauthenticated(
                "unknown", "The token is not one of this server's. 'basicaer token create' makes one."
            )
        now = time.time()
        state = token.state(now)
        if state != "valid":
            raise unauthenticated(state, f"The token is {state}. Ask the server's operator for a new one.")
        self._used[token.token_id] = now
        return Caller(f"token:{token.name}", token.role == "admin", token.expire_time, token.token_id)

    def certificate_holder(self, auth_context: Mapping[str, Iterable[bytes]]) -> Caller:
        """Return who holds the client certificate of a call's connection.

        Raises:
            ServiceError: UNAUTHENTICATED, PERMISSION_DENIED.
        """
        if not auth_context.get("x509_pem_cert"):
            raise unauthenticated("missing", "This server wants a client certificate.")
        # What is no text becomes half a surrogate pair, which no name has: another certificate's bytes must
        # not be taken for the same name.
        found = auth_context.get("x509_common_name", ())
        names = [name.decode(errors="surrogateescape") for name in found]
        if len(names) != 1 or not names[0]:
            raise permission_denied(
                "The client certificate has no common name, which would tell whose it is."
            )
        if not is_name(names[0]):
            raise permission_denied(
                "The client certificate's common name can't stand for a caller: it is too long, begins or "
                "ends with a space, or has characters that can't be seen."
            )
        return Caller(f"cert:{names[0]}", names[0] in self._config.certificate_admins)

    @contextlib.asynccontextmanager
    async def session(self, caller: Caller) -> AsyncIterator[None]:
        """Surround a call: it ends when the right to it does.

        Raises:
            ServiceError: UNAUTHENTICATED: the token was revoked, or has expired.
        """
        if caller.expires is None and not caller.token_id:
            # Nothing can end it.
            yield
            return
        delay = None if caller.expires is None else caller.expires - time.time()
        try:
            async with asyncio.timeout(delay) as scope:
                self._sessions[scope] = caller
                try:
                    yield
                finally:
                    del self._sessions[scope]
        except TimeoutError:
            if not scope.expired():
                raise
            raise unauthenticated(
                "ended", "The token was revoked or has expired. Ask the server's operator for a new one."
            ) from None

    def refused(self, peer: str, error: ServiceError) -> None:
        """Count a refusal for the log, where a flood of them is one line."""
        self._refused = (self._refused[0] + 1, peer, error.metadata.get("cause", error.reason_name))

    async def _review(self) -> None:
        noted = time.monotonic()
        while True:
            await asyncio.sleep(_REVIEW_INTERVAL)
            try:
                self._end_revoked()
                if time.monotonic() - noted >= _NOTE_INTERVAL:
                    noted = time.monotonic()
                    await self._note()
            except Exception:
                # Whatever it was: a revocation that comes next must count.
                _log.exception("calls under way couldn't be looked at")

    def _end_revoked(self) -> None:
        if self._tokens is None:
            return
        now, loop = time.time(), asyncio.get_running_loop()
        ids = {caller.token_id for caller in self._sessions.values() if caller.token_id}
        ended = {
            token_id
            for token_id in ids
            if (token := self._tokens.find(token_id)) is None or token.state(now) != "valid"
        }
        for scope, caller in self._sessions.items():
            if caller.token_id in ended and not scope.expired():
                scope.reschedule(loop.time())

    async def _note(self) -> None:
        used, self._used = self._used, {}
        if used and self._tokens is not None:
            try:
                if isinstance(self._tokens, SharedTokenStore):
                    await asyncio.to_thread(self._tokens.used, used)
                else:
                    await asyncio.to_thread(_note_uses, self._config.data_dir, used)
            except (sqlite3.Error, DataDirectoryError, ServiceError) as error:
                _log.warning("the last use of tokens can't be noted: %s", error)
        count, peer, cause = self._refused
        self._refused = (0, "", "")
        if count:
            _log.warning("refused %d calls for want of a right; the last from %s (%s)", count, peer, cause)


def _note_uses(data_dir: Path, times: Mapping[str, float]) -> None:
    # On a connection of its own: while it waits for another writer, look-ups go on.
    with TokenStore(data_dir) as tokens:
        tokens.used(times)
