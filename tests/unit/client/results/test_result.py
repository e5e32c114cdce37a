"""A result answers as `qiskit.result.Result` does when both hold the same data: formats, choices and error
texts.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, TypeVar

import numpy as np
import pytest
from basicaer.client import Circuit, Counts, JobFailedError, Options, ProtocolError, Result, ResultError
from basicaer.client.results._counts import format_outcome
from basicaer.client.results._json import as_json
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, result_pb2
from hypothesis import given
from hypothesis import strategies as st
from qiskit.exceptions import QiskitError
from qiskit.result import Result as QiskitResult

DONE, ERROR = job_pb2.JOB_STATUS_DONE, job_pb2.JOB_STATUS_ERROR


def array(name: str, values: Any) -> result_pb2.Array:
    """An array inside its message."""
    data = np.asarray(values)
    return result_pb2.Array(
        name=name,
        part=f"0/{name}",
        dtype=data.dtype.newbyteorder("<").str,
        shape=data.shape,
        size_bytes=data.nbytes,
        data=data.tobytes(),
    )


def program(
    name: str, sizes: list[int], counts: dict[int, int] | None = None, **fields: Any
) -> result_pb2.ProgramResult:
    """One program's result; `sizes` are those of its classical registers."""
    width = sum(sizes)
    words = max(1, -(-width // 64))
    header = result_pb2.ProgramHeader(
        name=name,
        num_qubits=width or 2,
        num_clbits=width,
        classical_registers=[circuit_pb2.Register(name=f"c{i}", size=size) for i, size in enumerate(sizes)],
    )
    header.metadata.update({"n": 3, "x": 0.5})
    shots = min(sum(counts.values()), 2**63 - 1) if counts is not None else 10
    message = result_pb2.ProgramResult(
        status=fields.pop("status", DONE), header=header, shots=shots, **fields
    )
    if counts is not None:
        message.counts.words_per_outcome = words
        for outcome, count in counts.items():
            message.counts.outcomes.extend((outcome >> 64 * word) % 2**64 for word in range(words))
            message.counts.counts.append(count)
    return message


def result(*programs: result_pb2.ProgramResult, success: bool = True) -> Result:
    """A job's result."""
    return Result(result_pb2.Result(job_id="id", backend_name="b", success=success, programs=programs))


def both(ours: Result) -> tuple[Result, QiskitResult]:
    """The result, and Qiskit's of the same data."""
    return ours, QiskitResult.from_dict(ours.to_dict())


registers = st.lists(st.integers(1, 40), min_size=1, max_size=4)


@given(registers, st.data())
def test_counts_are_formatted_as_qiskit_formats_them(sizes: list[int], data: st.DataObject) -> None:
    outcomes = data.draw(st.dictionaries(st.integers(0, 2 ** sum(sizes) - 1), st.integers(1, 99), max_size=5))
    ours, theirs = both(result(program("a", sizes, outcomes)))
    counts = ours.get_counts(0)
    assert counts == dict(theirs.get_counts())
    assert ours.data() == theirs.data()
    assert counts.int_outcomes() == outcomes
    assert counts.hex_outcomes() == {hex(outcome): count for outcome, count in outcomes.items()}
    assert counts.shots() == sum(outcomes.values())


@given(registers, st.data())
def test_memory_is_formatted_as_qiskit_formats_it(sizes: list[int], data: st.DataObject) -> None:
    shots = data.draw(st.lists(st.integers(0, 2 ** sum(sizes) - 1), min_size=1, max_size=9))
    words = max(1, -(-sum(sizes) // 64))
    rows = np.array([[(shot >> 64 * word) % 2**64 for word in range(words)] for shot in shots], np.uint64)
    ours, theirs = both(result(program("a", sizes, Counter(shots), arrays=[array("memory", rows)])))
    assert ours.get_memory() == theirs.get_memory()
    assert ours.data()["memory"] == [hex(shot) for shot in shots]


def test_the_first_register_is_the_rightmost() -> None:
    assert format_outcome(0b10_0_11, 5, [2, 1, 2]) == "10 0 11"
    assert format_outcome(1, 3) == "001"
    # Registers that overlap, or leave bits out, set no spaces.
    assert format_outcome(1, 3, [2, 2]) == "001"


def test_states_and_decimals() -> None:
    state, unitary = np.array([0.6, 0, 0.8j, 0]), np.eye(4, dtype=np.complex64) / 3
    arrays = [array("statevector", state), array("unitary", unitary)]
    ours, theirs = both(result(program("a", [], arrays=arrays)))
    np.testing.assert_array_equal(ours.get_statevector(), state)
    np.testing.assert_array_equal(
        ours.get_statevector(decimals=1), np.asarray(theirs.get_statevector(decimals=1))
    )
    assert ours.get_unitary().dtype == np.complex64
    np.testing.assert_allclose(ours.get_unitary(decimals=1), np.eye(4) * 0.3, atol=1e-7)
    assert ours.get_statevector() is ours.results[0].data.statevector
    assert ours.get_counts() == pytest.approx(dict(theirs.get_counts()))


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_counts", ("nothing",)),
        ("get_memory", ("nothing",)),
        ("get_statevector", ("nothing",)),
        ("get_unitary", ("nothing",)),
        ("get_statevector", ()),
        ("get_counts", (5,)),
        ("data", (-3,)),
        ("get_counts", ("absent",)),
        ("get_memory", (None,)),
    ],
)
def test_errors_have_qiskits_texts(method: str, arguments: tuple[Any, ...]) -> None:
    ours, theirs = both(result(program("nothing", [2]), program("other", [2], {1: 2})))
    with pytest.raises(ResultError) as caught:
        getattr(ours, method)(*arguments)
    with pytest.raises(QiskitError) as expected:
        getattr(theirs, method)(*arguments)
    # Qiskit goes on about measurement levels, which only hardware has.
    assert caught.value.message.partition(". ")[0] in expected.value.message


def test_an_experiment_is_chosen_by_index_name_or_circuit() -> None:
    circuit = Circuit(2, name="bell")
    ours = result(program("ghz", [2], {0: 1}), program("bell", [2], {3: 2}))
    assert ours.get_counts(1) == ours.get_counts("bell") == ours.get_counts(circuit) == {"11": 2}
    assert ours.get_counts(np.int64(-1)) == {"11": 2}
    assert ours.get_counts() == [{"00": 1}, {"11": 2}]


def test_a_name_that_fits_twice_warns_and_takes_the_first() -> None:
    ours = result(program("a", [2], {0: 1}), program("a", [2], {3: 2}))
    with pytest.warns(UserWarning, match='multiple results matching name "a"'):
        assert ours.get_counts("a") == {"00": 1}


def test_a_failed_program_keeps_its_cause_and_the_others_their_data() -> None:
    cause = job_pb2.JobError(reason=error_reason_pb2.ERROR_REASON_SIMULATION_FAILED, message="1/0")
    ours = result(
        program("good", [1], {1: 10}), program("bad", [1], status=ERROR, error=cause), success=False
    )
    assert (ours.success, ours.status) == (False, "1/0")
    assert ours.get_counts(0) == {"1": 10}
    assert isinstance(ours.results[1].error, JobFailedError)
    with pytest.raises(ResultError, match="1/0") as caught:
        ours.get_counts(1)
    assert caught.value.reason == "SIMULATION_FAILED"
    assert isinstance(caught.value.__cause__, JobFailedError)


def test_headers_are_read_as_items_and_as_attributes() -> None:
    header = result(program("a", [2, 1], {0: 1})).results[0].header
    assert header.creg_sizes == header["creg_sizes"] == [["c0", 2], ["c1", 1]]
    assert header.clbit_labels == [["c0", 0], ["c0", 1], ["c1", 0]]
    assert (header.memory_slots, header.n_qubits, header.metadata) == (3, 3, {"n": 3, "x": 0.5})
    assert isinstance(header.metadata["n"], int)
    with pytest.raises(AttributeError):
        header.absent  # noqa: B018 - the access is what raises
    assert not hasattr(result(program("a", [])).results[0].data, "counts")


def test_metadata_may_hold_what_json_has_not() -> None:
    made = program("a", [1])
    made.header.metadata.update({"limit": float("inf"), "rows": [float("-inf"), 2.0, None, {"deep": True}]})
    made.header.metadata.fields["nan"].number_value = float("nan")
    made.header.metadata.fields["unset"].SetInParent()
    found = result(made).results[0].header.metadata
    assert found["limit"] == float("inf")
    assert found["rows"] == [float("-inf"), 2, None, {"deep": True}]
    assert np.isnan(found["nan"])
    assert found["unset"] is None


Changed = TypeVar("Changed", result_pb2.ProgramResult, result_pb2.Array)


def changed(message: Changed, **fields: Any) -> Changed:
    """A program's result, or an array of one, with other fields."""
    for path, value in fields.items():
        part: Any = message
        *names, last = path.split("__")
        for name in names:
            part = getattr(part, name) if not name.isdigit() else part[int(name)]
        setattr(part, last, value) if not isinstance(value, list) else getattr(part, last).extend(value)
    return message


@pytest.mark.parametrize(
    "broken",
    [
        changed(program("a", [2], {1: 2}), counts__counts=[3]),
        changed(program("a", [2], {1: 2}), counts__words_per_outcome=2),
        program("a", [2], {1: 2**63}),
        changed(program("a", [2], {1: 2}), header__num_clbits=2**32 - 1),
        changed(program("a", [2], {1: 2}), header__classical_registers__0__size=2**32 - 1),
        program("a", [2], arrays=[changed(array("memory", np.zeros((2, 1), "<u8")), dtype="<c8")]),
        program("a", [2], arrays=[array("memory", np.zeros(2, "<u8"))]),
        program("a", [2], arrays=[changed(array("statevector", np.zeros(2, "<c16")), shape=[7])]),
        program("a", [2], arrays=[changed(array("statevector", np.zeros(2, "<c16")), dtype="complex")]),
    ],
)
def test_a_result_that_makes_no_sense_is_an_error(broken: result_pb2.ProgramResult) -> None:
    with pytest.raises(ProtocolError):  # noqa: PT012 - some of it shows only when it is looked at
        found = result(broken)
        found.get_memory() if broken.arrays else found.get_counts()


@pytest.mark.parametrize("seconds", [-(2**63), 2**63 - 1])
def test_what_is_no_time_is_an_error(seconds: int) -> None:
    message = result_pb2.Result()
    message.end_time.seconds = seconds
    with pytest.raises(ProtocolError, match="time"):
        Result(message)


def test_the_most_frequent_outcome() -> None:
    assert Counts({"0x1": 3, "0x0": 2}, memory_slots=2).most_frequent() == "01"
    with pytest.raises(ResultError, match="01,10"):
        Counts({1: 3, 2: 3}, memory_slots=2).most_frequent()
    with pytest.raises(ResultError, match="empty"):
        Counts({}).most_frequent()


def test_to_dict_is_json() -> None:
    state = array("statevector", np.array([0.6, 0.8j, 0.0, 0.0]))
    made = result(
        program("a", [2], {1: 4, 2: 6}, arrays=[array("memory", np.ones((10, 1), np.uint64))]),
        program("b", [], arrays=[state, array("probabilities", np.array([0.5, 0.5]))]),
    )
    found = json.loads(json.dumps(made.to_dict()))
    assert found["results"][0]["data"] == {"counts": {"0x1": 4, "0x2": 6}, "memory": ["0x1"] * 10}
    assert found["results"][1]["data"]["statevector"][:2] == [[0.6, 0.0], [0.0, 0.8]]
    assert found["date"] == made.date.isoformat()


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_an_experiments_seed_holds_its_stream(seed: int, stream: int) -> None:
    made = result(program("a", [1], {0: 10}, seed_simulator=seed, seed_stream=stream)).results[0]
    options = Options(seed_simulator=made.seed).to_message()
    assert (options.seed_simulator, options.seed_stream) == (seed, stream)
    assert stream or made.seed == seed


numbers = [np.float32(2), np.int64(3), np.bool_(True), np.complex64(1j), np.arange(3), np.array(["a"]), DONE]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.complex_numbers(),
    st.datetimes(),
    st.binary(),
    st.sampled_from([*numbers, object()]),
)


@given(
    st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner),
            st.sets(st.integers()),
            st.dictionaries(st.one_of(st.text(), st.integers()), inner),
        ),
    )
)
def test_everything_has_a_form_in_json(value: Any) -> None:
    made = as_json(value)
    assert repr(as_json(json.loads(json.dumps(made)))) == repr(made)
