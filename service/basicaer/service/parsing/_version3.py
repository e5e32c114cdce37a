"""Whether a text that can't be read is OpenQASM 3, as many are that lack the line with their version."""

from __future__ import annotations

import re
from typing import NamedTuple

from basicaer.service.parsing._source import Source

__all__ = ["Sign", "find_sign"]

_NAME = r"[A-Za-z_\u0370-\u03ff]\w*"
_SIZE = r"(?:\s*\[[^\];{}]*\])?"
# What begins a statement of OpenQASM 3 and of no other. What a word alone would tell is told by what follows
# it, since each of these words may be the name of a gate or a register in OpenQASM 2.
_STATEMENT = re.compile(
    "|".join(
        (
            rf"(?:qubit|bit|bool|int|uint|float|angle|complex|stretch|duration){_SIZE}\s+{_NAME}\s*(?:;|=)",
            rf"(?:const|input|output|let|array|mutable|readonly)\b[^;(){{}}]*\s{_NAME}\s*(?:;|=)",
            rf"(?:def|extern|defcal)\s+{_NAME}\s*[({{\w$]",
            r"defcalgrammar\s*\"",
            r"cal\s*\{",
            rf"for\s+(?:{_NAME}{_SIZE}\s+)?{_NAME}\s+in\b",
            r"while\s*\(",
            r"switch\s*\(",
            r"if\s*\([^;{}]*\)\s*\{",
            r"box\s*(?:\[[^\]]*\]\s*)?\{",
            r"(?:ctrl|negctrl|inv|pow)\s*(?:\([^;{}]*\)\s*)?@",
            r"gphase\s*\(",
            r"delay\s*\[",
            r"(?:#\s*)?pragma\s+\w",
            r"@\s*\w",
            rf"{_NAME}\s*(?:\[[^\];{{}}]*\]\s*)?=\s*measure\b",
            rf"{_NAME}(?:\s*\([^;{{}}]*\))?\s+(?:[\w\[\], ]*,\s*)?\$\d",
            r"measure\s+\$\d",
            rf"{_NAME}\b[^;{{}}]*\[[^\];{{}}]*:[^\];{{}}]*\]",
            r"include\s*[\"']",
        )
    )
)
_WORD = re.compile(r"\w+")
# Where a statement begins.
_START = re.compile(r"(?:^|[;{}])\s*(?=[A-Za-z_#@\u0370-\u03ff])")
_SILENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)
_LIBRARY = re.compile(r"[\"'](?:\./)?stdgates\.inc[\"']")
# A program begins with its declarations.
_LOOKED_AT = 64 * 1024
_LONGEST = 60


class Sign(NamedTuple):
    """A part of the text that is OpenQASM 3, and the line that it stands in."""

    words: str
    line: int


def find_sign(source: Source) -> Sign | None:
    """Return the first part of a text that is OpenQASM 3 and not OpenQASM 2; None when there is none."""
    code = _SILENT.sub(_blank, source.code[:_LOOKED_AT])
    declared = {each.name for each in source.declarations}
    for start in _START.finditer(code):
        match = _STATEMENT.match(code, start.end())
        if match is None:
            continue
        word = _WORD.search(match.group())
        # A gate may have the name of a word of OpenQASM 3.
        if word is not None and word.group() in declared and "=" not in match.group():
            continue
        words = " ".join(re.split(r"[;{\n]", source.text[start.end() :], maxsplit=1)[0].split())
        words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
        return Sign(words, source.at(start.end()).line)
    return None


def _blank(silent: re.Match[str]) -> str:
    """Return what is no code, as spaces; but the name of version 3's library is as good as code."""
    return silent.group() if _LIBRARY.fullmatch(silent.group()) else " " * len(silent.group())
