"""Circuits and arrays of the contract as the simulator's.

`reading` converts; `expressions`, `noise`, `states` and `arrays` are its parts for classical expressions,
channels, states that circuits are given, and numbers. For the other folders here and the tests of parsers.
"""
