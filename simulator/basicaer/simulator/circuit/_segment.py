"""Gates without anything else between them: what a method applies at once.

What holds of a segment:

- it is valid: indices are in range, an instruction's qubits are distinct, parameters are finite, matrices
  unitary, but for those of single operators of channels;
- each of its instructions is a gate of `GATES` or `unitary`, with or without extra controls and a control
  state, and takes its parameters from the column; barriers and delays are left out, and conditions were
  decided above;
- extra controls are the first of an instruction's qubits, then come the controls that the gate itself has,
  then the targets, of which the first is the least significant bit of the matrix's index.

Whatever is not unitary (measurement, reset, classical control, initialize) is not in it. Methods whose states
are mixed also get the operations "channel" and "reset", whose qubits are those of their superoperators.
"""

from __future__ import annotations

from dataclasses import dataclass

from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._operations import Block, Operation


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Gates of a circuit, in columns.

    `operations` is the circuit's whole table and `layout` its operands' counts; `block` has the instructions,
    which act on states of `num_qubits` qubits.
    """

    num_qubits: int
    operations: tuple[Operation, ...]
    layout: Layout
    block: Block
