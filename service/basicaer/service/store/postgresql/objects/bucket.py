"""A bucket of an object store, by obstore."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from basicaer.service.errors import DataDirectoryError, StoreBusyError
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

__all__ = ["Bucket"]

_log = logging.getLogger(__name__)

# What a server writes when it starts, to see whether it can; always the same, so that none is left behind.
_PROBE = "probe"
# How long one waits for a connection, and for one answer; how often, and for how long, a request is sent
# again (seconds). Whoever waits for more is told that the store is busy, and asks again.
_CONNECT_TIMEOUT, _TIMEOUT = "3s", "30s"
_RETRIES, _RETRY_TIME = 2, 10
_MOST_PAUSE = 1


class Bucket:
    """The `Objects` below a prefix of a bucket, which is reached by the usual variables of AWS."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """`url` is s3://BUCKET/PREFIX; `endpoint` where it is reached, unless that is AWS."""
        parts = urlsplit(url)
        self.shown = url
        reached = endpoint or os.environ.get("AWS_ENDPOINT_URL", "")
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={
                "timeout": _TIMEOUT,
                "connect_timeout": _CONNECT_TIMEOUT,
                "allow_http": reached.startswith("http://"),
            },
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=_RETRY_TIME),
                "backoff": {"max_backoff": timedelta(seconds=_MOST_PAUSE)},
            },
            config={"endpoint": endpoint} if endpoint else None,
        )

    async def check(self, folder: str) -> None:
        key = f"{folder}/{_PROBE}"
        try:
            await obstore.put_async(self._store, key, b"", use_multipart=False)
            await obstore.get_async(self._store, key)
            await obstore.delete_async(self._store, key)
            async for _ in obstore.list(self._store, f"{folder}/"):
                break
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            raise DataDirectoryError(
                f"The object store {self.shown} can't be used: {_cause(error)}. Look after the bucket, the"
                " rights in it (to put, get, delete and list), and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
                " and AWS_REGION."
            ) from error
        except (BaseError, ValueError) as error:
            _log.warning(
                "the object store %s doesn't answer, and jobs with large results wait until it does: %s",
                self.shown,
                _cause(error),
            )

    async def put(self, key: str, data: bytes) -> None:
        async with self._answers():
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def get(self, key: str, start: int, end: int) -> bytes | None:
        async with self._answers():
            try:
                return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
            except FileNotFoundError:
                return None

    async def remove_all(self, folder: str) -> None:
        async with self._answers():
            async for page in obstore.list(self._store, f"{folder}/"):
                if keys := [meta["path"] for meta in page]:
                    await obstore.delete_async(self._store, keys)

    @asynccontextmanager
    async def _answers(self) -> AsyncIterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError, ValueError) as error:
            # A bucket that isn't there any more, too, may come back.
            raise StoreBusyError(f"the object store {self.shown}: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    # The first line says what; the rest are the layers that it has gone through, or XML.
    return (str(error).strip().splitlines() or [type(error).__name__])[0].partition(": <?xml")[0]
