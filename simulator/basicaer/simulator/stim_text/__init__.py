"""Circuits in stim's language, as circuits of the simulator.

`_syntax` reads lines as instructions with their places, `_gates` says what each gate, measurement and noise
is made of, and `_reader` puts these together, turn by turn of repeated blocks, in columns (`_columns`). Each
measurement gets a classical bit of its own, in their order; detectors and observables become the saves
"detectors" and "observables" at the end.
"""
