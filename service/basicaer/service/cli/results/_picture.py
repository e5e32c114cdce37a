"""A result as a picture in a file: `--plot FILE.svg`."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from basicaer.client import Result

__all__ = ["picture_option", "save_picture"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ENDINGS = (".svg", ".png", ".pdf")


def picture_option(command: _Command) -> _Command:
    """Add --plot to a command that shows results."""
    return click.option(
        "--plot",
        metavar="FILE.svg",
        callback=_drawable,
        help="Draw counts, amplitudes and saved values into a picture (.svg, .png or .pdf).",
    )(command)


def _drawable(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """Refuse what can't become a picture before there is a job (a callback of click)."""
    if path is None:
        return None
    if Path(path).suffix.lower() not in _ENDINGS:
        raise click.BadParameter(f"{path!r} must end in {', '.join(_ENDINGS)}.", ctx, parameter)
    folder = Path(path).parent
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {str(folder)!r}.", ctx, parameter)
    if not os.access(folder, os.W_OK):
        raise click.BadParameter(f"the folder {str(folder)!r} can't be written to.", ctx, parameter)
    if importlib.util.find_spec("matplotlib") is None:
        raise click.BadParameter("pictures need matplotlib: pip install 'basicaer[plot]'", ctx, parameter)
    return path


def save_picture(result: Result, path: str, top: int) -> None:
    """Draw all programs of a result, one below the other, into a file whose ending tells its format."""
    from basicaer.service.cli.results._panels import draw_panels

    draw_panels(result, top, path)
