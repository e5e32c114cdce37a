"""The event loop that the connections live on, and the ways to it from other threads and loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from basicaer.service.errors import StoreBusyError
from basicaer.service.vital import Vital

__all__ = ["Loop"]

_T = TypeVar("_T")


class Loop:
    """An event loop on a thread of its own. Thread-safe."""

    def __init__(self, vital: Vital) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = vital.thread("store-loop", self._run)

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine there, and wait for it on this thread.

        Raises:
            StoreBusyError: The loop has ended.
        """
        return self._submit(work).result()

    async def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine there, and wait for it on this loop.

        Raises:
            StoreBusyError: The loop has ended.
        """
        return await asyncio.wrap_future(self._submit(work))

    def start(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Begin a coroutine there, and return what tells of its end.

        Raises:
            StoreBusyError: The loop has ended.
        """
        return self._submit(work)

    def soon(self, function: Callable[[], object]) -> bool:
        """Let a function be called there, and return at once; False when the loop has ended."""
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            return False
        return True

    def stop(self) -> None:
        """End the loop, and wait for its thread."""
        self.soon(self._loop.stop)
        self._thread.join()

    def _submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise StoreBusyError("it is closed") from None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._loop.close()
