"""`basicaer config`: which settings a server would have, and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from basicaer.service.cli._connection import CLIENT_VARIABLES
from basicaer.service.cli._output import json_option, print_json
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import UNITS, load_settings, settings_options
from basicaer.service.config import Config
from basicaer.service.config._setting import settings_of

__all__ = ["config"]

_REDACTED = "(hidden)"


@click.command(epilog=UNITS)
@settings_options()
@json_option
def config(config_file: Path | None, as_json: bool, **flags: Any) -> None:
    """Show the settings that 'serve' would have with the same options, and where each comes from.

    A setting has one name in three spellings: max_shots in a file, BASICAER_MAX_SHOTS in the environment,
    --max-shots as a flag. A flag goes before a variable, a variable before the file, the file before the
    default. What is printed is itself such a file:

    \b
        basicaer config --workers 4 > basicaer.toml
        basicaer serve --config basicaer.toml

    Tokens and keys are no settings: they stay in files of their own, which settings name. What SIZE, TIME and
    the others stand for is said at the end.
    """
    loaded = load_settings(config_file, flags)
    shown: list[tuple[str, Any, str, str]] = [
        (
            setting.name,
            getattr(loaded.config, setting.name),
            setting.kind.show(getattr(loaded.config, setting.name)),
            loaded.origins.get(setting.name, "default"),
        )
        for setting in settings_of(Config)
    ]
    client = {
        variable: _REDACTED if secret else os.environ[variable]
        for variable, secret in CLIENT_VARIABLES.items()
        if variable in os.environ
    }
    if as_json:
        print_json(
            {
                "settings": {
                    name: {"value": str(value) if isinstance(value, Path) else value, "source": origin}
                    for name, value, _, origin in shown
                },
                "client": client,
            }
        )
        return
    lines = [f"{name} = {toml}" for name, _, toml, _ in shown]
    width = min(max(map(len, lines)), 48)
    for line, (_, _, _, origin) in zip(lines, shown, strict=True):
        say(f"{line:<{width}}  # {origin}")
    for variable, value in client.items():
        say(f"# for commands that ask a server: {variable} = {value}")
