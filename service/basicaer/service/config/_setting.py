"""What is known of a setting beside its value: the one place where each is described."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from basicaer.service.config._units import format_duration, format_limit, format_size

__all__ = [
    "ADDRESS",
    "COUNT",
    "KINDS",
    "LIMIT",
    "NAMES",
    "PATH",
    "RETENTION",
    "SIZE",
    "SWITCH",
    "TEXT",
    "TIME",
    "URL",
    "Kind",
    "Setting",
    "described",
    "setting",
    "settings_of",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of a setting are written, in words and as TOML.

    `metavar` stands for a value in the help; a switch, which is its own value there, has none.
    """

    metavar: str
    unit: str
    show: Callable[[Any], str]
    # The greatest number that every part of the service can reckon with.
    most: int | None = None


def _show_text(value: str | Path) -> str:
    # A JSON string is a TOML string.
    return json.dumps(str(value), ensure_ascii=False)


def _show_optional_text(value: str | Path | None) -> str:
    return '""' if value is None else _show_text(value)


def _show_url(value: str) -> str:
    """Return a URL without its password, which is not to be told again."""
    return _show_text(re.sub(r"(://[^/@:]*):[^@/]*@", r"\1:***@", value))


def _show_names(values: Sequence[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


ADDRESS = Kind("HOST:PORT", "such as 127.0.0.1:50051 or [::]:50051", _show_text)
# 32 bits on the wire, an exbibyte, and a century.
_MOST_COUNT, _MOST_BYTES, _MOST_SECONDS = 2**32 - 1, 2**60, 36_525 * 86_400

COUNT = Kind("NUMBER", "a whole number", str, _MOST_COUNT)
SIZE = Kind(
    "SIZE",
    "bytes, or a size such as 512MiB or 16GiB",
    lambda value: _show_text(format_size(value)),
    _MOST_BYTES,
)
LIMIT = Kind(
    "SIZE|none", "a SIZE, or none for no limit", lambda value: _show_text(format_limit(value)), _MOST_BYTES
)
TIME = Kind(
    "TIME",
    "seconds, or a time such as 500ms, 10s or 12h",
    lambda value: _show_text(format_duration(value)),
    _MOST_SECONDS,
)
RETENTION = Kind(
    "TIME|none", "a TIME, or none for ever", lambda value: _show_text(format_duration(value)), _MOST_SECONDS
)
PATH = Kind("PATH", "a path", _show_optional_text)
TEXT = Kind("TEXT", "a text", _show_text)
URL = Kind("URL", "such as postgresql://basicaer@db/jobs", _show_url)
NAMES = Kind("NAME,…", "names with commas between; in a file a list of texts", _show_names)
SWITCH = Kind("", "true or false, in a file and as a variable", lambda value: str(value).lower())

KINDS = (ADDRESS, COUNT, SIZE, LIMIT, TIME, RETENTION, PATH, TEXT, URL, NAMES, SWITCH)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's documentation and bounds. `name` is its field in `Config` and its key in a file."""

    name: str
    kind: Kind
    help: str
    # What stands in the help where there is no constant to show.
    default_text: str
    # The least value, and whether it is itself allowed; None when any is.
    least: int | None
    at_least: bool

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its variable in the environment."""
        return f"BASICAER_{self.name.upper()}"


def described(
    kind: Kind, text: str, *, shown: str = "", above: int | None = None, least: int | None = None
) -> dict[str, Any]:
    """Return a field's metadata: a number must be greater than `above`, or not less than `least`."""
    return {"setting": (kind, text, shown, least if above is None else above, above is None)}


def setting(
    kind: Kind,
    default: Any,
    text: str,
    *,
    shown: str = "",
    above: int | None = None,
    least: int | None = None,
) -> Any:
    """Return a dataclass field with a default, which is called if it is a function."""
    metadata = described(kind, text, shown=shown, above=above, least=least)
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(config: Any) -> list[Setting]:
    """Return all settings of the class `Config`, in their order."""
    found = []
    for field in dataclasses.fields(config):
        kind, text, shown, least, at_least = field.metadata["setting"]
        if not shown:
            shown = _plain(kind.show(field.default))
        found.append(Setting(field.name, kind, text, shown, least, at_least))
    return found


def _plain(toml: str) -> str:
    """Return a default as one writes it as a flag."""
    value = toml.strip('"')
    return "none" if value in ("", "[]") else ",".join(json.loads(value)) if value.startswith("[") else value
