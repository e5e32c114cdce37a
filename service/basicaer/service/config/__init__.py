"""What a person can set about a server: the settings with their defaults, and where a value comes from.

`load` and what it needs (pydantic) is not imported here: a program that makes its own `Config`, and the help
of the command line, do without it.
"""

from __future__ import annotations

from basicaer.service.config._config import LARGEST_IN_DATABASE, Config
from basicaer.service.config._memory import available_memory
from basicaer.service.config._values import DEFAULT_HTTP

__all__ = ["DEFAULT_HTTP", "LARGEST_IN_DATABASE", "Config", "available_memory"]
