"""Circuits as OpenQASM 3 text, which any server reads back as the same circuit.

`dumps` is what programs call; by `NATIVE_DEFINITIONS` the server's reader knows which definitions stand for
gates that it has. Of the modules, `_writer` knows statements, `_expressions` and `_types` classical values,
`_gates` and `_matrices` how gates and states are written, `_layout`, `_names` and `_flow` what bits and
variables are called and blocks come to. They know messages of the contract alone.
"""

from __future__ import annotations

from typing import Protocol

from basicaer.client._errors import CircuitError
from basicaer.client.openqasm3._gates import DEFINITIONS, NEEDS
from basicaer.client.openqasm3._writer import Writer
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["NATIVE_DEFINITIONS", "NEEDS", "dumps"]

NATIVE_DEFINITIONS = {text: name for name, text in DEFINITIONS.items()}
"""For each definition of a gate, with single blanks, as `dumps` writes it: the contract's gate that it is.

Those that `NEEDS` names have to stand before it; its other gates are of stdgates.inc.
"""


class _HasMessage(Protocol):
    def to_message(self) -> pb.Circuit: ...


def dumps(circuit: _HasMessage | pb.Circuit) -> str:
    """Return a circuit as OpenQASM 3 text.

    A server reads the text as the same circuit, but for its name, metadata and labels, and units of delays.
    Of several names of a gate it takes one, and matrices and prepared states become the gates that make them.
    What is known before a circuit runs the reader may have calculated.

    Args:
        circuit: A `Circuit`, or the contract's message.

    Raises:
        CircuitError: It isn't valid, or the language can't say a part of it, which the message names: a save,
            a matrix of more than 6 qubits, a prepared state of more than 10, integers of over 1,024 bits.
    """
    message = circuit if isinstance(circuit, pb.Circuit) else circuit.to_message()
    try:
        return Writer(message).text()
    except CircuitError:
        raise
    except (IndexError, KeyError, ValueError) as error:
        raise CircuitError(
            f"The circuit isn't valid: it lacks what an instruction names ({error})."
        ) from error
