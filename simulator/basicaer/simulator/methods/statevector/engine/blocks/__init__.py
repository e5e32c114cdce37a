"""A plan is carried out block by block: the loop over blocks and threads, and the work on one block.

The engine's callers may import `_run`; planning and `direct` use the kernels.
"""
