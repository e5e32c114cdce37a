"""From a circuit to steps: it is checked, qubits that need no amplitudes are left out, inputs are bound.

The functions that run circuits, `running` and the checks of options may import it.
"""
