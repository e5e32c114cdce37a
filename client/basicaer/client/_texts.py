"""Texts that a user gives, on their way to the wire."""

from __future__ import annotations

import contextlib
import re
from types import TracebackType

from basicaer.client._errors import BasicAerError

__all__ = ["Encoded", "is_openqasm3", "is_stim"]

_BLANK = re.compile(r"(?:\s|\ufeff|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
# What begins a program of version 3, and none of version 2.
_VERSION3 = re.compile(
    r"OPENQASM\s+3\b|include\s*[\"']stdgates\.inc[\"']|(?:#\s*)?pragma\b|@"
    r"|(?:input|output|const|qubit|bit|bool|int|uint|float|angle|complex|array|duration|stretch|let|def|extern"
    r"|defcalgrammar|cal|defcal)\b|[^\W\d]\w*(?:\([^;]*\))?\s+\$\d"
)


def is_openqasm3(text: str) -> bool:
    """Tell by a program's first statement whether it is OpenQASM 3, and not 2."""
    blank = _BLANK.match(text)
    return _VERSION3.match(text, 0 if blank is None else blank.end()) is not None


# In stim's language a line is an instruction, and none has a semicolon, which OpenQASM's statements end with.
_STIM_LINE = re.compile(r"(?:\s|\ufeff|#[^\n]*)*([A-Za-z_]\w*)[^;\r\n]*(?:[\r\n]|\Z)")
_STIM_WORDS = """
    I X Y Z H H_XY H_XZ H_YZ H_NXY H_NXZ H_NYZ S S_DAG SQRT_X SQRT_X_DAG SQRT_Y SQRT_Y_DAG SQRT_Z SQRT_Z_DAG
    C_XYZ C_ZYX C_NXYZ C_XNYZ C_XYNZ C_NZYX C_ZNYX C_ZYNX II CX CNOT ZCX CY ZCY CZ ZCZ XCX XCY XCZ YCX YCY YCZ
    SWAP ISWAP ISWAP_DAG CXSWAP SWAPCX CZSWAP SWAPCZ SQRT_XX SQRT_XX_DAG SQRT_YY SQRT_YY_DAG SQRT_ZZ
    SQRT_ZZ_DAG SPP SPP_DAG X_ERROR Y_ERROR Z_ERROR I_ERROR II_ERROR DEPOLARIZE1 DEPOLARIZE2 PAULI_CHANNEL_1
    PAULI_CHANNEL_2 E CORRELATED_ERROR HERALDED_ERASE HERALDED_PAULI_CHANNEL_1 M MX MY MZ MR MRX MRY MRZ MXX
    MYY MZZ MPP MPAD R RX RY RZ DETECTOR OBSERVABLE_INCLUDE QUBIT_COORDS SHIFT_COORDS TICK REPEAT
"""
_STIM_NAMES = frozenset(_STIM_WORDS.split())


def is_stim(text: str) -> bool:
    """Tell by a program's first line whether it is in stim's language, and not OpenQASM."""
    first = _STIM_LINE.match(text)
    return first is not None and first[1].upper() in _STIM_NAMES


class Encoded(contextlib.ContextDecorator):
    """Surrounds what makes messages: a text that UTF-8 hasn't is told as an error of the client's, of a kind.

    Such a text has half of a surrogate pair, for instance from a file's name, or from JSON that was cut.
    """

    def __init__(self, kind: type[BasicAerError]) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise the error of its kind in place of a UnicodeEncodeError."""
        if isinstance(error, UnicodeEncodeError):
            raise self._kind(
                f"{error.object[:60]!r} can't be sent: it has half of a surrogate pair, which is no "
                "character. Replace it, as with text.encode(errors='replace').decode()."
            ) from error
