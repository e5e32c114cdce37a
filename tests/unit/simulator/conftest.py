"""The kernels are compiled, or loaded, while tests are collected, before any test's clock runs."""

import numpy as np
from basicaer.simulator._warm import warm_up

for dtype in (np.complex128, np.complex64):
    warm_up(dtype)
