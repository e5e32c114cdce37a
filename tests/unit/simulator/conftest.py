"""The kernels are compiled, or loaded, while tests are collected, before any test's clock runs."""

import numpy as np
from basicaer.simulator import Circuit, statevector

for dtype in (np.complex128, np.complex64):
    statevector(Circuit.from_gates(1, [("h", [0])]), dtype=dtype)
