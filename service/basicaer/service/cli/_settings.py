"""Every setting of a server as an option of a command, all of them made from `Config` itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from basicaer.service.config import Config
from basicaer.service.config._setting import KINDS, SWITCH, Setting, settings_of
from basicaer.service.errors import SettingError

if TYPE_CHECKING:
    from basicaer.service.config._load import Loaded

__all__ = ["UNITS", "load_settings", "settings_options"]

# What stands at the end of the help of a command with settings.
UNITS = "\b\n" + "\n".join(f"{kind.metavar or 'switches':<11}{kind.unit}" for kind in KINDS)


def _config_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add --config to a command."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.toml",
        envvar="BASICAER_CONFIG",
        show_envvar=True,
        help="A file with settings: what follows, with _ for -. A variable goes before it, a flag before "
        "both.",
    )(command)


def settings_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds --config and the options of these settings, by default of all."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for setting in reversed(settings_of(Config)):
            if not names or setting.name in names:
                command = _option(setting)(command)
        return _config_option(command)

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return an option that hands on its text as it is: all sources of a value are read by the same rules."""
    text = f"{setting.help}  [env var: {setting.variable}; default: {setting.default_text}]"
    if setting.kind is SWITCH:
        negation = f"{setting.flag}/--no-{setting.flag[2:]}"
        names = setting.flag if setting.default_text == "false" else negation
        return click.option(names, setting.name, is_flag=True, default=None, help=text)
    return click.option(setting.flag, setting.name, metavar=setting.kind.metavar, help=text)


def load_settings(config_file: Path | None, flags: Mapping[str, Any]) -> Loaded:
    """Return the configuration of a command's options, the environment and the file.

    Raises:
        click.UsageError: A value is wrong; names the setting and where it came from.
    """
    # Only now: pydantic takes longer to import than most commands take to work.
    from basicaer.service.config._load import load

    try:
        return load({name: value for name, value in flags.items() if value is not None}, config_file)
    except SettingError as error:
        raise click.UsageError(f"{error}.") from None
