"""The columns of the engine's arrays, a module for each array: what stands where has a name.

All of the engine may import them; they import nothing. `engine/__init__.py` tells which array passes where.
"""
