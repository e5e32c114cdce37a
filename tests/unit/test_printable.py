"""What a person may see of anybody's text."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from basicaer.client import JobError
from basicaer.client._printable import printable as of_client
from basicaer.service.errors import ServiceError
from basicaer.service.printable import printable
from basicaer.v1 import error_reason_pb2

# Control characters, format characters (directions among them), halves of surrogate pairs, separators.
UNSEEN = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
]


def test_nothing_that_moves_a_cursor_or_turns_text_round_is_left() -> None:
    shown = printable("".join(UNSEEN))
    assert not set(UNSEEN) & set(shown)
    assert shown.isascii()
    assert shown.isprintable()


def test_what_can_be_seen_stays() -> None:
    text = "Zoë's ½ ψ⟩ 量子 😀 e\u0301 \\x1b"
    assert printable(text) == text


@pytest.mark.parametrize(
    "character", ["\x1b", "\x9b", "\u202e", "\u2028", "\ud800", "\x7f", "\n", "\U000e0001"]
)
def test_an_escape_tells_which_it_was(character: str) -> None:
    assert printable(f"a{character}b") == f"a{ascii(character)[1:-1]}b"
    assert printable(printable(character)) == printable(character)


def test_what_is_kept_stays() -> None:
    assert printable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


def test_client_and_server_mean_the_same() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert of_client(everything) == printable(everything)
    assert of_client(everything, keep="\n") == printable(everything, keep="\n")


def test_errors_are_printable_from_the_beginning() -> None:
    text = "line 1\n\x1b]0;gotcha\x07\u202e"
    refusal = ServiceError(error_reason_pb2.ERROR_REASON_PROGRAM_INVALID, text)
    failure = JobError(text)
    for said in (
        refusal.message,
        str(refusal),
        refusal.to_job_error().message,
        failure.message,
        str(failure),
    ):
        assert said == "line 1\n\\x1b]0;gotcha\\x07\\u202e"
