"""From columns of gates to a plan: they are fused, put into stages, and written as rows of numbers.

The engine's callers may import `_compile`, and `distributed`, and who has kernels compiled, also `_planner`;
`blocks` reads the columns of what is made here.
"""
