"""Copies and pickles of what stands for something on a server.

A copy of a connection, or of a job, is itself. A pickled provider is its address and settings: it connects
again where it's loaded, and shows what the environment there tells it to show (`_access`), since a secret
that travels in pickles is none. What is loaded in one process from pickles of one provider shares a
connection, so that a thousand jobs that come back from other processes don't make a thousand.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Self, TypeVar

from basicaer.client.transport._access import VARIABLES, environments_tls
from basicaer.client.transport._channel import ChannelOptions

__all__ = ["Itself", "reconnected", "reconnected_once"]


class Itself:
    """A copy of it, deep or not, is itself."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


P = TypeVar("P")

_lock = threading.Lock()
_loaded: weakref.WeakValueDictionary[tuple[Any, ...], Any] = weakref.WeakValueDictionary()


def reconnected(
    kind: type[P],
    address: str,
    timeout: float,
    max_outage: float | None,
    options: ChannelOptions,
    encrypted: bool,
) -> P:
    """Return a new provider with the settings of one that was pickled.

    One that was `encrypted` by credentials of its own is so again, though with those of the environment.

    Raises:
        BasicAerError: As by the provider itself.
    """
    made: Any = kind
    found: P = made(
        address,
        timeout=timeout,
        max_outage=max_outage,
        credentials=environments_tls() if encrypted else None,
        channel_options=options,
    )
    return found


def reconnected_once(kind: type[P], *settings: Any) -> P:
    """Return the provider that another pickle with the same settings has become, or a new one.

    Raises:
        BasicAerError: As by the provider itself.
    """
    key = (kind, *settings, *map(os.environ.get, VARIABLES))
    with _lock:
        known: Any = _loaded.get(key)
        if known is None or known._transport.closed:
            known = _loaded[key] = reconnected(kind, *settings)
        found: P = known
        return found
