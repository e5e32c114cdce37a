"""The kernels are compiled once, before the first test's clock runs."""

import numpy as np
import pytest
from basicaer.simulator import Circuit, statevector


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels():
    for dtype in (np.complex128, np.complex64):
        statevector(Circuit.from_gates(1, [("h", [0])]), dtype=dtype)
