"""The parts of `make bench` that call a live server, beside a bare peer where there is one.

`python -m benchmarks` runs them; nothing else calls them.
"""
