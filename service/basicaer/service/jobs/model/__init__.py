"""A job: what may happen to it and what follows from that, and what its readers may see.

Nothing here waits. All of `jobs` uses it, and nothing else does; it uses nothing of the other folders.
"""
