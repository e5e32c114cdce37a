"""Figures that docs/figures.md states, each beside a bare peer measured in the same run: `make bench`."""
