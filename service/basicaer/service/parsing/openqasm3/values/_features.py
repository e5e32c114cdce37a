"""Parts of the language that aren't supported: their names, and where the specification tells of them.

A section is the title of a page of https://openqasm.com/versions/3.1/language/ and those of its sections.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Feature"]


class Feature(Enum):
    """A part of the language; its value is its name and its section."""

    DURATION_OUTPUT = ("durations as outputs", "Directives > Input/output")
    EXTERN_ARRAY = ("arrays of extern functions", "Classical instructions > Extern function calls")
    INCLUDE = ("files beside stdgates.inc", "Comments > Included files")
    RECURSION = ("recursion that only a run ends", "Scoping of variables > Subroutine and gate scope")
    RUN_TIME_POWER = ("powers that only a run knows", "Gates > Quantum gate modifiers")
    RUN_TIME_SIZE = ("sizes that only a run knows", "Types and Casting > Compile-time constants")
    RUN_TIME_SLICE = ("slices that only a run knows", "Types and Casting > Index sets and slicing")
    VERSION = ("other versions of the language", "Comments > Version string")
