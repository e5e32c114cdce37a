"""Gradients: how expectation values change with a circuit's inputs, all of them for the price of a few runs.

`Gradients` is made of a `Template` that saves expectation values at its end; its `of` gives values and
derivatives for a row of inputs. `_gradients` walks backwards, `_slices` says where derivatives are read,
`_overlaps` reads two states there by `_kernels`, `_parts` and `_chains` make derivatives of what was read,
`_inverses` has gates backwards, and `_chain_rule` how parameters change with inputs. Whoever runs circuits
may call it; the package's own modules don't.
"""

from basicaer.simulator.gradients._gradients import Gradients

__all__ = ["Gradients"]
