"""The settings of a server, checked: every part of the service reads these."""

from __future__ import annotations

from dataclasses import dataclass

from basicaer.service.config._checks import check
from basicaer.service.config._setting import settings_of
from basicaer.service.config._values import Values

__all__ = ["LARGEST_IN_DATABASE", "Config"]

LARGEST_IN_DATABASE = 64 * 1024 * 1024
"""What a database takes of a result, in bytes; larger ones are for an object store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Values):
    """A server's settings. Sizes are in bytes, times in seconds; None for a time means for ever.

    Raises:
        SettingError: A value makes no sense, alone or beside the others; the message names the setting.
    """

    def __post_init__(self) -> None:
        check(self, settings_of(type(self)))

    @property
    def most_result_bytes(self) -> int | None:
        """The largest result that is kept; None where the disk or an object store is the limit."""
        return LARGEST_IN_DATABASE if self.database and not self.object_store else None
