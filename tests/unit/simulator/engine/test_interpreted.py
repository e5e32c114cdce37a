"""The planner and the readout do the same when Python interprets them.

So nothing in them hangs on what compiled code does with an index out of range, or a number too large.
Kernels are made of vectors that Python doesn't have, so they are compared with matrices in `test_engine.py`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator.methods.statevector.engine.columns import steps

SOURCE = Path(__file__).with_name("planned.py")


def load_planned() -> ModuleType:
    spec = importlib.util.spec_from_file_location("planned", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, npt.NDArray[Any]]:
    """The arrays that a process without a compiler makes; a warning is an error there too."""
    path = tmp_path_factory.mktemp("interpreted") / "arrays.npz"
    command = [sys.executable, "-W", "error", str(SOURCE), str(path)]
    ended = subprocess.run(
        command, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, timeout=100
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("part", ["plans", "readouts"])
def test_interpreted_code_makes_the_same(interpreted: dict[str, npt.NDArray[Any]], part: str) -> None:
    compiled = getattr(load_planned(), part)()
    assert compiled.keys() <= interpreted.keys()
    for name, expected in compiled.items():
        if "coefs" in name:
            # Compiled code adds the same numbers in another order.
            np.testing.assert_allclose(interpreted[name], expected, rtol=0, atol=1e-13, err_msg=name)
        else:
            np.testing.assert_array_equal(interpreted[name], expected, err_msg=name)


def test_the_plans_have_rows_of_every_kind() -> None:
    planned = load_planned()
    found = planned.plans()
    rows = np.concatenate([found[f"{number} rows"] for number in range(len(planned.PLANS))])
    kinds = {steps.ONE, steps.TWO, steps.THREE, steps.CONTROLLED, steps.FLIP, steps.ANY}
    kinds |= {steps.LAYER, steps.EXCHANGE}
    assert set(rows[:, steps.OP].tolist()) == kinds
    assert len(found["4 stages"]) > 1
