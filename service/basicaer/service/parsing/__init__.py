"""Program texts to circuits of the contract, by Qiskit's parser, which trusts its input.

What comes from a caller is bounded before that parser sees it, and what may take it long is given to a
process that can be killed. This package loads neither the simulator nor Qiskit when it is imported: the
processes start with it.
"""

from basicaer.service.parsing._faults import ProgramFault, Where, too_large
from basicaer.service.parsing._limits import MAX_BITS
from basicaer.service.parsing._parsers import ParsedText, Parsers
from basicaer.service.parsing._patience import UNBOUNDED, GivenUpError, Patience, TakesLongError
from basicaer.service.parsing._wire import Columns

__all__ = [
    "MAX_BITS",
    "UNBOUNDED",
    "Columns",
    "GivenUpError",
    "ParsedText",
    "Parsers",
    "Patience",
    "ProgramFault",
    "TakesLongError",
    "Where",
    "too_large",
]
