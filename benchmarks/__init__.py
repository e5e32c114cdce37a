"""Figures that the README states, each beside a bare peer measured in the same run: `make bench`."""
