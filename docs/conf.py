"""How Sphinx makes the site from this folder: `make docs`.

Links to files of the repository that aren't pages become words; a link to what isn't there breaks the build.
"""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from basicaer.service.config import Config
from basicaer.service.config._setting import KINDS, settings_of
from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Number, String, Text

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "BasicAer"
author = "the BasicAer developers"
release = version = installed("basicaer")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]

myst_heading_anchors = 4

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
default_role = "code"
toc_object_entries = False

html_theme = "furo"
html_title = "BasicAer"
html_copy_source = False
html_show_sphinx = False

_LINK = re.compile(r"\[([^\]]+)\]\((\.\./[^)\s#]+)\)")


class OpenQasmLexer(RegexLexer):
    """Colours OpenQASM 2 and 3."""

    name = "OpenQASM"
    aliases: ClassVar[list[str]] = ["qasm"]
    tokens: ClassVar[dict[str, list[tuple[object, object]]]] = {
        "root": [
            (r"//.*|/\*(?:.|\n)*?\*/", Comment),
            (r'"[^"\n]*"', String),
            (
                r"\b(?:OPENQASM|include|qubit|qreg|creg|bit|bool|u?int|float|angle|complex|duration|array|input"
                r"|output|const|let|gate|def|extern|return|if|else|for|while|switch|case|default|in|break"
                r"|continue|end|measure|reset|barrier|delay|box|ctrl|negctrl|inv|pow)\b",
                Keyword,
            ),
            (r"\b(?:0[xXob][\da-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)", Number),
            (r"\w+|\s+|.", Text),
        ]
    }


def _without_files(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links to files that aren't pages be words."""
    folder = Path(app.srcdir, page).parent

    def words_of(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        return link[1] if target.exists() and not target.is_relative_to(app.srcdir) else link[0]

    source[0] = _LINK.sub(words_of, source[0])


def _settings(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the table of all settings to their page."""
    if page != "reference/settings":
        return
    lines = ["", "| setting | what it is | values | default |", "| --- | --- | --- | --- |"]
    for one in settings_of(Config):
        kind = one.kind.metavar or "true or false"
        lines.append(f"| `{one.name}` | {_cell(one.help)} | `{_cell(kind)}` | {_cell(one.default_text)} |")
    lines += ["", "| values | are written as |", "| --- | --- |"]
    lines += [f"| `{_cell(kind.metavar)}` | {_cell(kind.unit)} |" for kind in KINDS if kind.metavar]
    source[0] += "\n".join(lines) + "\n"


def _with_code(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Let indented paragraphs of docstrings be code; a module's own docstring stays with its source."""
    if what == "module":
        lines.clear()
    made: list[str] = []
    for line in lines:
        told = [each for each in made if each]
        if line.startswith("    ") and made and not made[-1] and not told[-1].startswith(" "):
            made += ["::", ""]
        made.append(line)
    lines[:] = made


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def setup(app: Sphinx) -> None:
    """Connect what this file adds."""
    app.add_lexer("qasm", OpenQasmLexer)
    app.connect("source-read", _without_files)
    app.connect("source-read", _settings)
    # Before Napoleon makes lists of the sections.
    app.connect("autodoc-process-docstring", _with_code, priority=400)
