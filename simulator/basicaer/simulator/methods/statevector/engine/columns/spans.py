"""Which instructions of a circuit's columns are planned: `span`, int64."""

START, STOP, QUBIT, PARAMETER, NUMBERS = range(5)
"""The first instruction and the one behind the last; where the first one's qubits and parameters begin."""
