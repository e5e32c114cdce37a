"""Program texts to circuits of the contract: OpenQASM 2 by Qiskit's parser, which trusts its input, and
OpenQASM 3 by a reader of our own, `openqasm3`, and stim's language by the simulator's (`stim_text`).

What comes from a caller is bounded before Qiskit's parser sees it, and what may take it long is given to a
process that can be killed. This package loads neither the simulator nor Qiskit when it is imported: the
processes start with it.
"""

from basicaer.service.parsing._faults import MOST_DIAGNOSTICS, ProgramFault, Where, too_large
from basicaer.service.parsing._languages import (
    LANGUAGES,
    OPENQASM2,
    OPENQASM3,
    STIM,
    Language,
    externs_of,
    text_of,
)
from basicaer.service.parsing._limits import MAX_BITS
from basicaer.service.parsing._parsers import ParsedText, Parsers, ParsersHere
from basicaer.service.parsing._patience import (
    UNBOUNDED,
    GivenUpError,
    Patience,
    Pause,
    TakesLongError,
    no_pause,
    pause_of,
)
from basicaer.service.parsing._processes import Processes
from basicaer.service.parsing._serving import serve
from basicaer.service.parsing._wire import Columns
from basicaer.service.parsing.openqasm3 import HIDDEN

__all__ = [
    "HIDDEN",
    "LANGUAGES",
    "MAX_BITS",
    "MOST_DIAGNOSTICS",
    "OPENQASM2",
    "OPENQASM3",
    "STIM",
    "UNBOUNDED",
    "Columns",
    "GivenUpError",
    "Language",
    "ParsedText",
    "Parsers",
    "ParsersHere",
    "Patience",
    "Pause",
    "Processes",
    "ProgramFault",
    "TakesLongError",
    "Where",
    "externs_of",
    "no_pause",
    "pause_of",
    "serve",
    "text_of",
    "too_large",
]
