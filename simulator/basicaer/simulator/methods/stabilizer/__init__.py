"""Clifford circuits of thousands of qubits, with Pauli noise: frames, and tableaux of single shots.

`_lowering` turns a circuit into rows (`_rows`) of few kinds; `_cliffords` finds the gates' rows by their
matrices, `_conditions` those of classical expressions. Where all shots take the same way, a reference shot is
simulated by stim (`_reference`), and `_frames` carries the others' differences from it, 64 shots a word.
Where shots part, `_shots` simulates each by itself. `_detectors` tells in which parities of classical bits
shots differ from the reference. `kernels/` has what is compiled.

The functions that run circuits may call `_method`.
"""
