"""Noise of a device: rules in `_model`, and `_placing`, which puts what they say into a circuit."""

from basicaer.simulator.noise._model import NoiseModel
from basicaer.simulator.noise._rules import LateChannel

__all__ = ["LateChannel", "NoiseModel"]
