"""`basicaer token`: who may call a server that runs with --auth token."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from basicaer.service.cli import _text
from basicaer.service.cli._errors import fail
from basicaer.service.cli._output import json_option, print_json
from basicaer.service.cli._say import say
from basicaer.service.cli._settings import load_settings, settings_options
from basicaer.service.config._setting import RETENTION
from basicaer.service.config._units import parse_retention
from basicaer.service.errors import DataDirectoryError, ServiceError, SettingError

if TYPE_CHECKING:
    from basicaer.service.access import TokenStore
    from basicaer.service.access._shared_tokens import SharedTokenStore

__all__ = ["token"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that let callers in.

    They are kept, as hashes, in the data directory of the server, or in the database that servers share. A
    server needn't run, and if it runs notices at once, or within a second: then a revoked token's calls fail,
    and its open watches end.
    """


def _name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not 1 to 63 of A-Z a-z 0-9 . _ @ - after a letter or digit.")
    return value


def _lifetime(context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    try:
        seconds = parse_retention(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    if seconds is not None and RETENTION.most is not None and seconds > RETENTION.most:
        raise click.BadParameter(f"{value!r} is more than a century; 'none' is for ever.")
    return seconds


@contextlib.contextmanager
def _store(
    config_file: Path | None, data_dir: str | None, database: str | None
) -> Iterator[TokenStore | SharedTokenStore]:
    """Open the tokens; whatever goes wrong with them meanwhile is told in one line."""
    from basicaer.service.access import open_tokens

    config = load_settings(config_file, {"data_dir": data_dir, "database": database}).config
    try:
        with open_tokens(config.database, config.data_dir) as store:
            yield store
    except (DataDirectoryError, SettingError) as error:
        fail(str(error))
    except ServiceError as error:
        fail(error.message)
    except sqlite3.Error as error:
        fail(f"{config.data_dir / 'tokens.sqlite3'} can't be used: {error}")


@token.command()
@click.argument("name", callback=_name)
@click.option(
    "--role",
    type=click.Choice(["user", "admin"]),
    default="user",
    show_default=True,
    help="An admin sees, stops and deletes everybody's jobs.",
)
@click.option(
    "--expires",
    "lifetime",
    metavar="TIME",
    default="90d",
    show_default=True,
    callback=_lifetime,
    help='How long it is valid, such as 12h or 30d; "none" is for ever.',
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to a new file that its owner alone may read, instead of to stdout.",
)
@settings_options("data_dir", "database")
@json_option
def create(
    name: str,
    role: str,
    lifetime: float | None,
    out: Path | None,
    config_file: Path | None,
    data_dir: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Make a token for NAME and print it, this once.

    The jobs that a token submits belong to its name. A second token of the same name has the same jobs, so
    that it can take the place of one that is about to expire.
    """
    with _store(config_file, data_dir, database) as store:
        if out is not None:
            try:
                # Before there is a token, which would be lost if the file couldn't be made.
                descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                fail(f"{out} can't be made: {error.strerror}")
        made, text = store.create(name, role, lifetime)
    if out is not None:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
    if as_json:
        print_json({**_plain(made), **({} if out else {"token": text})})
    elif out is None:
        say(text)


@token.command("list")
@settings_options("data_dir", "database")
@json_option
def list_(config_file: Path | None, data_dir: str | None, database: str | None, as_json: bool) -> None:
    """List all tokens, the newest first: whose, until when, and when they were used last."""
    with _store(config_file, data_dir, database) as store:
        found = store.tokens()
    if as_json:
        print_json([_plain(one) for one in found])
    elif not found:
        say("no tokens")
    else:
        headings = ("ID", "NAME", "ROLE", "STATE", "MADE", "EXPIRES", "LAST USED")
        rows = [
            (
                one.token_id,
                one.name,
                one.role,
                one.state(time.time()),
                _when(one.create_time),
                _when(one.expire_time),
                _when(one.last_used),
            )
            for one in found
        ]
        say(*_text.table(headings, rows))


@token.command()
@click.argument("id_or_name")
@settings_options("data_dir", "database")
@json_option
def revoke(
    id_or_name: str, config_file: Path | None, data_dir: str | None, database: str | None, as_json: bool
) -> None:
    """Revoke a token by its ID, or all tokens of a NAME."""
    with _store(config_file, data_dir, database) as store:
        revoked = store.revoke(id_or_name)
    if not revoked:
        fail(
            f"no token that is not revoked yet has the id or name {id_or_name}; 'basicaer token list' shows "
            "them"
        )
    if as_json:
        print_json([_plain(one) for one in revoked])
        return
    for one in revoked:
        say(f"{one.token_id} of {one.name} is revoked")


def _when(seconds: float | None) -> str:
    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _plain(one: Any) -> dict[str, Any]:
    times = {
        name: None if value is None else datetime.fromtimestamp(value, UTC).isoformat()
        for name in ("create_time", "expire_time", "revoke_time", "last_used")
        for value in [getattr(one, name)]
    }
    return {
        "token_id": one.token_id,
        "name": one.name,
        "role": one.role,
        "state": one.state(time.time()),
        **times,
    }
