"""From a file, the environment and the command line to one `Config`, and from where each of its values came.

pydantic-settings reads the sources and turns text into values. Of several sources that give a value, the
command line wins over the environment, and that over the file.
"""

from __future__ import annotations

import codecs
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from basicaer.service.config._config import Config
from basicaer.service.config._setting import (
    ADDRESS,
    COUNT,
    LIMIT,
    NAMES,
    PATH,
    RETENTION,
    SIZE,
    SWITCH,
    TEXT,
    TIME,
    URL,
    Setting,
    settings_of,
)
from basicaer.service.config._units import parse_duration, parse_limit, parse_retention, parse_size
from basicaer.service.errors import SettingError
from pydantic import BeforeValidator, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

__all__ = ["Loaded", "load"]

_ENCODING_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

DEFAULT_DATA_DIR = Path(".basicaer")


def _names(value: object) -> object:
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


def _path(value: object) -> object:
    if isinstance(value, str) and ("\n" in value or "-----BEGIN" in value):
        # A key in the place of its path must not be told again.
        raise ValueError("is what a file holds; give the file's path")
    return None if value == "" else value


_TYPES: dict[Any, Any] = {
    ADDRESS: str,
    COUNT: int,
    SIZE: Annotated[int, BeforeValidator(parse_size)],
    LIMIT: Annotated[int | None, BeforeValidator(parse_limit)],
    TIME: Annotated[float, BeforeValidator(parse_duration)],
    RETENTION: Annotated[float | None, BeforeValidator(parse_retention)],
    PATH: Annotated[Path | None, BeforeValidator(_path)],
    TEXT: str,
    URL: str,
    # NoDecode: names with commas between, not JSON.
    NAMES: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)],
    SWITCH: bool,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and for each setting that isn't a default: its flag, its variable or its file."""

    config: Config
    origins: Mapping[str, str]


def load(flags: Mapping[str, Any], file: Path | None) -> Loaded:
    """Put a configuration together: `flags` by the names of their settings, the environment, a TOML file.

    Raises:
        SettingError: A value can't be read or makes no sense; names the setting and its source.
    """
    settings = {setting.name: setting for setting in settings_of(Config)}
    if file is not None:
        _check_file(file, settings)

    class Sources(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix="BASICAER_", extra="forbid", validate_default=False, toml_file=file
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    fields: dict[str, Any] = {name: (_TYPES[setting.kind], None) for name, setting in settings.items()}
    model = create_model("Settings", __base__=Sources, **fields)
    origins = dict.fromkeys(TomlConfigSettingsSource(model)(), str(file))
    origins |= {name: settings[name].variable for name in EnvSettingsSource(model)()}
    origins |= {name: settings[name].flag for name in flags}
    try:
        read = model(**flags)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        raise SettingError(name, _told(first), origins.get(name, "")) from None
    values = {name: getattr(read, name) for name in origins}
    values.setdefault("data_dir", DEFAULT_DATA_DIR)
    if values["data_dir"] is None:
        raise SettingError("data_dir", "must not be empty", origins["data_dir"])
    try:
        return Loaded(Config(**values), origins)
    except SettingError as error:
        raise SettingError(error.setting, error.message, origins.get(error.setting, "")) from None


def _told(error: Any) -> str:
    """Return in words what pydantic found."""
    cause = error.get("ctx", {}).get("error")
    if cause is not None:
        return str(cause)
    return f"{error['input']!r} is not right: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _check_file(file: Path, settings: Mapping[str, Setting]) -> None:
    """Tell what can't be read, or isn't a setting, before pydantic does, since it doesn't know the file."""
    try:
        with file.open("rb") as stream:
            names = tomllib.load(stream)
    except OSError as error:
        raise SettingError("config", f"{file} can't be read: {error.strerror}") from None
    except ValueError as error:
        mark = any(file.read_bytes().startswith(each) for each in _ENCODING_MARKS)
        cause = "it begins with a byte order mark; save it as UTF-8 without one" if mark else error
        raise SettingError("config", f"{file} is not TOML: {cause}") from None
    except RecursionError:
        raise SettingError(
            "config", f"{file} is not a settings file: it has lists in lists without end"
        ) from None
    for name in names:
        if name not in settings:
            near = difflib.get_close_matches(name.replace("-", "_"), settings, n=1)
            hint = f"; did you mean {near[0]}" if near else "; 'basicaer config --help' lists them"
            raise SettingError(name, f"is not a setting{hint}", str(file))
