"""The planner and the readout do the same when Python interprets them.

So nothing in them hangs on what compiled code does with an index out of range, or a number too large.
Kernels are made of vectors that Python doesn't have, so they are compared with matrices in `test_engine.py`.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from basicaer.simulator.engine import _stages

SOURCE = Path(__file__).with_name("planned.py")


def load_planned():
    spec = importlib.util.spec_from_file_location("planned", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
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
def test_interpreted_code_makes_the_same(interpreted, part):
    compiled = getattr(load_planned(), part)()
    assert compiled.keys() <= interpreted.keys()
    for name, expected in compiled.items():
        if "coefs" in name:
            # Compiled code adds the same numbers in another order.
            np.testing.assert_allclose(interpreted[name], expected, rtol=0, atol=1e-13, err_msg=name)
        else:
            np.testing.assert_array_equal(interpreted[name], expected, err_msg=name)


def test_the_plans_have_rows_of_every_kind():
    planned = load_planned()
    found = planned.plans()
    rows = np.concatenate([found[f"{number} rows"] for number in range(len(planned.PLANS))])
    kinds = {_stages.ONE, _stages.TWO, _stages.THREE, _stages.CONTROLLED, _stages.FLIP, _stages.ANY}
    kinds |= {_stages.LAYER, _stages.EXCHANGE}
    assert set(rows[:, _stages.OP].tolist()) == kinds
    assert len(found["4 stages"]) > 1
