"""numpy alone, as a measure for sampling: sorted uniforms looked up in the cumulative probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.peers._families import Circuit
from benchmarks.peers.adapters._base import Adapter, Job, Setting, UnsupportedError


class Numpy(Adapter):
    """Its state is made outside of the timer."""

    package = "numpy"
    note = "from a state that exists already"

    def set_up(self) -> None:
        self.random = np.random.default_rng(1)

    def job(self, circuit: Circuit, setting: Setting) -> Job:
        raise UnsupportedError("numpy is no simulator")

    def amplitudes(self, state: Any) -> Any:
        raise UnsupportedError("numpy is no simulator")

    def sampling_job(self, circuit: Circuit, shots: int) -> Job:
        state = np.ones(1, dtype=self.dtype)
        for name, _, params, _ in circuit.gates:
            if name != "ry":
                raise UnsupportedError("only products of ry")
            state = np.kron([math.cos(params[0] / 2), math.sin(params[0] / 2)], state)

        def run() -> Any:
            probabilities = np.square(np.abs(state))
            cumulative = np.cumsum(probabilities)
            draws = np.sort(self.random.random(shots)) * cumulative[-1]
            return np.unique(np.searchsorted(cumulative, draws, side="right"), return_counts=True)

        return run


ADAPTER = Numpy
