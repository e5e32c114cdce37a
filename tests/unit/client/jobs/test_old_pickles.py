"""What an earlier version of the client has pickled is loaded by this one, wherever its classes are now."""

from __future__ import annotations

import base64
import importlib
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import basicaer.client as client
import numpy as np
import pytest
from basicaer.client._moved import MOVED

TEXT = (Path(__file__).parent / "pickles_0_1_0.txt").read_text()
KEPT = {
    name: base64.b64decode(data)
    for name, data in re.findall(r"^\[(\w+)\]\n((?:[\w+/=]+\n)+)", TEXT, re.MULTILINE)
}


def loaded(name: str) -> Any:
    return pickle.loads(KEPT[name])


@pytest.mark.parametrize("name", KEPT)
def test_every_pickle_is_loaded_and_pickled_again_under_the_new_names(name: str) -> None:
    value = loaded(name)
    again = pickle.dumps(value)
    assert type(pickle.loads(again)) is type(value)
    for old in (f"basicaer.client.{old}" for old in MOVED):
        # A name in a pickle is its length and its letters.
        assert bytes([len(old)]) + old.encode() not in again


def test_results() -> None:
    result = loaded("result")
    assert isinstance(result, client.Result)
    assert sum(result.get_counts().values()) == len(result.get_memory()) == 40
    assert loaded("counts") == result.get_counts()
    np.testing.assert_allclose(loaded("state").get_statevector(), [0.5**0.5] * 2)
    assert loaded("events")[-1].status is client.JobStatus.DONE
    assert loaded("server_info").version == "0.1.0"


def test_programs() -> None:
    program = loaded("program")
    assert isinstance(program.circuit, client.Circuit)
    assert program.to_message().inputs.names == ["x"]
    assert loaded("circuit").h(0).to_message().num_qubits == 2
    assert isinstance(loaded("expression"), client.Expression)
    assert isinstance(loaded("linear"), client.Linear)
    assert loaded("options").shots == 3


def test_what_stands_for_something_on_a_server() -> None:
    job = loaded("job")
    assert isinstance(job, client.BasicAerJob)
    assert job.job_id() == "the-job"
    assert isinstance(job.backend(), client.BasicAerBackend)
    assert isinstance(loaded("new_job"), client.BasicAerJob)
    assert isinstance(loaded("async_job"), client.AsyncBasicAerJob)
    assert loaded("qiskit_job").job_id() == "the-job"
    assert loaded("qiskit_backend").name == "qasm_simulator"


def test_the_data_of_a_primitive() -> None:
    assert sum(loaded("primitive_data").meas.get_counts().values()) == 8


@pytest.mark.parametrize("old", MOVED)
def test_a_moved_module_is_not_there_and_its_place_is(old: str) -> None:
    """A module of the old name would hide the new one; a place that has moved on would lose the names."""
    place = importlib.import_module(f"basicaer.client.{MOVED[old]}")
    assert importlib.import_module(f"basicaer.client.{old}").__all__ == place.__all__


def test_other_names_are_as_unknown_as_before() -> None:
    code = "import basicaer.client, importlib.util as u; print(u.find_spec('basicaer.client._nothing'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
