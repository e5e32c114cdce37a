"""Compiled loops over bits: frames, tableaux, single shots, random numbers and the counting of outcomes.

Only the modules of the folder around it call them; of that they know `_rows`.
"""
