"""Every kind of save, each way of it, by every method: against the reference, or refused by its name."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    Channel,
    Circuit,
    CircuitError,
    ClbitRef,
    ForLoop,
    IfElse,
    MethodName,
    Observable,
    Save,
    SaveKind,
    WhileLoop,
    required_bytes,
    run,
    saved_bytes,
    validate,
)
from basicaer.simulator.circuit._squares import squared
from basicaer.simulator.reference import interpret, saved_by_outcome
from basicaer.simulator.running import _trajectories
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

METHODS: tuple[MethodName, ...] = get_args(MethodName)
SHOTS = 2000
OBSERVABLE = Observable(("XZ", "ZI", "IY", "II"), (1.0, -0.5, 2.0, 0.25))
SAVES = (
    Save("s", SaveKind.STATEVECTOR),
    Save("s", SaveKind.AMPLITUDES, basis_states=(5, 0, 3, 0)),
    Save("s", SaveKind.AMPLITUDES_SQUARED, basis_states=(7, 0, 2, 4)),
    Save("s", SaveKind.PROBABILITIES),
    Save("s", SaveKind.EXPECTATION_VALUES, (OBSERVABLE, Observable(("ZZ",), (1.0,)))),
    Save("s", SaveKind.EXPECTATION_VALUE_VARIANCE, (OBSERVABLE,)),
    Save("s", SaveKind.DENSITY_MATRIX),
)
SINGLE = (SaveKind.STATEVECTOR, SaveKind.AMPLITUDES)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "per shot": {"per_shot": True},
    "conditional": {"conditional": True},
    "unnormalized": {"unnormalized": True},
    "conditional and unnormalized": {"conditional": True, "unnormalized": True},
    "conditional and per shot": {"conditional": True, "per_shot": True},
}
# What a method has not, where shots part: kinds, and ways.
HAS_NOT: dict[str, tuple[tuple[SaveKind, ...], tuple[str, ...]]] = {
    "statevector": ((), ()),
    "density_matrix": (SINGLE, ()),
    "matrix_product_state": ((), ()),
    "superop": (tuple(save.kind for save in SAVES), ()),
    "stabilizer": (
        tuple(save.kind for save in SAVES if save.kind is not SaveKind.EXPECTATION_VALUES),
        ("per_shot", "conditional"),
    ),
}


def dynamic(save: Save, channel: Channel | None = None) -> Circuit:
    """A Clifford circuit in which shots part, and come by a save twice, in a loop within a condition."""
    circuit = Circuit(3, 3, global_phase=0.3)
    circuit.append("h", [0]).append("cx", [0, 1]).append("s", [1])
    circuit.append("measure", [0], [], [1])
    if channel is not None:
        circuit.append("channel", [1], channel=channel)
    circuit.append("x", [2], condition=ClbitRef(1)).append("h", [2])
    circuit.append("measure", [2], [], [0])
    turn = circuit.block([("h", [1]), ("save", [2, 1], [], [], {"save": save}), ("cz", [1, 2])])
    loop = circuit.block([("for_loop", [], [], [], {"for_loop": ForLoop(range(2), turn)})])
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), loop))
    circuit.append("h", [1]).append("measure", [1], [], [2])
    return circuit


def of(circuit: Circuit, value: Any) -> Any:
    """What the reference has, which leaves out the circuit's phase."""
    save = next(op.save for op in circuit.operations if op.save is not None)
    phase = np.exp(1j * circuit.global_phase) if save.kind in SINGLE else 1.0
    return np.asarray(value) * phase


def outcomes_of(found: dict[str, npt.NDArray[Any]]) -> list[int]:
    assert found["s.outcomes"].shape == (len(found["s"]), 1)
    assert found["s.outcomes"].dtype == np.uint64
    return [int(value) for value in found["s.outcomes"][:, 0]]


@pytest.fixture(params=["states wait", "branches run again"])
def execution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test as usual, and with no memory for waiting states."""
    if request.param == "branches run again":
        monkeypatch.setattr(_trajectories, "_WAITING_BYTES", 70)


@pytest.mark.usefixtures("execution")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("save", SAVES, ids=lambda save: str(save.kind.value))
@pytest.mark.parametrize("method", METHODS)
def test_every_save_by_every_method(method: MethodName, save: Save, way: str) -> None:
    save = replace(save, **WAYS[way])
    circuit = dynamic(save)
    if save.unnormalized and save.kind in SINGLE:
        with pytest.raises(CircuitError, match=f"{save.kind.value} has no sum over shots"):
            validate(circuit)
        return
    kinds, ways = HAS_NOT[method]
    if save.kind in kinds or any(getattr(save, name) for name in ways):
        words = "(measure, which|save 's')" if method == "superop" else "save 's'"
        with pytest.raises(CircuitError, match=f"the method {method} can't do this: {words}"):
            run(circuit, shots=SHOTS, method=method)
        return
    result = run(circuit, shots=SHOTS, seed=5, method=method, memory=True)
    again = run(circuit, shots=SHOTS, seed=5, method=method, threads=2)
    for label, array in result.saved.items():
        np.testing.assert_array_equal(array, again.saved[label])
    found = result.saved
    mixed = method == "density_matrix"
    if save.per_shot:
        assert result.memory is not None
        _assert_lists(circuit, found, result.memory[:, 0].tolist(), save, mixed)
        return
    by_outcome = saved_by_outcome(circuit, mixed=mixed)["s"]
    if not save.conditional:
        assert set(found) == {"s"}
        _assert_one(circuit, found["s"], save, mixed, by_outcome)
        return
    # A bit that is still to be measured is no part of it.
    assert outcomes_of(found) == sorted(by_outcome)
    for outcome, value in zip(outcomes_of(found), found["s"], strict=True):
        weight, mean = by_outcome[outcome]
        if save.kind in SINGLE:
            assert _is_any(circuit, value, [each for each, seen in _kept(circuit, mixed) if seen == outcome])
            continue
        # Within an outcome all shots have the same values, twice.
        scale = weight * SHOTS if save.unnormalized else 1.0
        allowed = 6 * abs(mean).max() * (SHOTS**0.5) if save.unnormalized else 1e-9
        np.testing.assert_allclose(value, mean * scale, atol=allowed)


def _kept(circuit: Circuit, mixed: bool) -> list[tuple[Any, int]]:
    """Everything that the reference saves, with the classical bits there."""
    leaves = interpret(circuit, mixed=mixed)
    return [
        (value, seen) for leaf in leaves for (_, value), seen in zip(leaf.saved, leaf.outcomes, strict=True)
    ]


def _is_any(circuit: Circuit, value: Any, among: list[Any]) -> bool:
    return any(np.allclose(value, of(circuit, each), atol=1e-9) for each in among)


def _assert_one(
    circuit: Circuit, value: Any, save: Save, mixed: bool, by_outcome: dict[int, tuple[float, Any]]
) -> None:
    if save.kind in SINGLE:
        assert _is_any(circuit, value, [each for each, _ in _kept(circuit, mixed)])
        return
    weight = sum(each for each, _ in by_outcome.values())
    mean = sum(each * value for each, value in by_outcome.values()) / weight
    if save.unnormalized:
        np.testing.assert_allclose(value, mean * weight * SHOTS, atol=6 * 4 * 2 * SHOTS**0.5)
    else:
        np.testing.assert_allclose(value, mean, atol=6 * 4 / SHOTS**0.5)


def _assert_lists(
    circuit: Circuit, found: dict[str, npt.NDArray[Any]], memory: list[int], save: Save, mixed: bool
) -> None:
    """Each shot has its own values, in the order of the shots."""
    expected: dict[int, list[tuple[Any, int]]] = {}
    for leaf in interpret(circuit, mixed=mixed):
        own = [(value, seen) for (_, value), seen in zip(leaf.saved, leaf.outcomes, strict=True)]
        expected.setdefault(leaf.clbits, own)
    wanted = [entry for outcome in memory for entry in expected[outcome]]
    assert len(found["s"]) == len(wanted)
    phase = of(circuit, 1.0)
    np.testing.assert_allclose(found["s"], np.array([value for value, _ in wanted]) * phase, atol=1e-9)
    if save.conditional:
        assert outcomes_of(found) == [seen for _, seen in wanted]


DAMPING = Channel.from_kraus([np.diag([1.0, 0.8**0.5]), [[0.0, 0.2**0.5], [0.0, 0.0]]])
FLIPS = Channel.pauli({"I": 0.7, "X": 0.2, "Z": 0.1})


@pytest.mark.parametrize("channel", [DAMPING, FLIPS], ids=["damping", "flips"])
@pytest.mark.parametrize("save", SAVES, ids=lambda save: str(save.kind.value))
@pytest.mark.parametrize("method", METHODS)
def test_every_save_under_noise(method: MethodName, save: Save, channel: Channel) -> None:
    """The mean over trajectories, of each outcome and of all."""
    if save.kind in HAS_NOT[method][0] or (channel is DAMPING and method == "stabilizer"):
        with pytest.raises(CircuitError, match=f"the method {method} can't do this"):
            run(dynamic(save, channel), shots=SHOTS, method=method)
        return
    circuit = dynamic(save, channel)
    mixed = method == "density_matrix"
    by_outcome = saved_by_outcome(circuit, mixed=mixed)["s"]
    found = run(circuit, shots=SHOTS, seed=7, method=method).saved["s"]
    _assert_one(circuit, found, save, mixed, by_outcome)
    if save.kind in SINGLE or method == "stabilizer":
        return
    circuit = dynamic(replace(save, conditional=True), channel)
    given = run(circuit, shots=SHOTS, seed=7, method=method).saved
    assert outcomes_of(given) == sorted(by_outcome)
    for outcome, value in zip(outcomes_of(given), given["s"], strict=True):
        weight, mean = by_outcome[outcome]
        np.testing.assert_allclose(value, mean, atol=6 * 4 / (weight * SHOTS) ** 0.5)


@pytest.mark.parametrize("unnormalized", [False, True])
@pytest.mark.parametrize("save", SAVES[2:6], ids=lambda save: str(save.kind.value))
def test_probabilities_of_stabilizers(save: Save, unnormalized: bool) -> None:
    """Where nothing but Pauli gates depends on outcomes, they have them too."""
    circuit = Circuit(3, 1).append("h", [0]).append("cx", [0, 1]).append("s", [1])
    circuit.append("measure", [0], [], [0]).append("x", [2], condition=ClbitRef(0))
    circuit.append("h", [1]).append("channel", [2], channel=FLIPS)
    circuit.append("save", [2, 1], save=replace(save, unnormalized=unnormalized))
    circuit.append("h", [0]).append("measure", [0], [], [0])
    found = run(circuit, shots=SHOTS, seed=7, method="stabilizer").saved["s"]
    _assert_one(
        circuit, found, replace(save, unnormalized=unnormalized), False, saved_by_outcome(circuit)["s"]
    )


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 4))
def test_squares_are_the_matrices_squares(random: Random, products: int, width: int) -> None:
    paulis = tuple("".join(random.choice("IXYZ") for _ in range(width)) for _ in range(products))
    observable = Observable(paulis, tuple(random.uniform(-2, 2) for _ in paulis))
    square = squared(observable)
    one = SparsePauliOp(list(observable.paulis), list(observable.coefficients)).to_matrix()
    two = SparsePauliOp(list(square.paulis), list(square.coefficients)).to_matrix()
    np.testing.assert_allclose(one @ one, two, atol=1e-10)
    assert len(set(square.paulis)) == len(square.paulis)


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
def test_nothing_has_no_variance(method: MethodName) -> None:
    nothing = Save("v", SaveKind.EXPECTATION_VALUE_VARIANCE, (Observable((), ()),))
    circuit = Circuit(2).append("h", [0]).append("save", [0, 1], save=nothing)
    assert run(circuit, shots=3, method=method).saved["v"].tolist() == [0.0, 0.0]


def test_each_shot_sees_what_was_measured_of_its_other_qubits() -> None:
    # The mean over the shots could do without the measurement, which waits until the end.
    circuit = Circuit(2, 1).append("h", [0]).append("cx", [0, 1]).append("measure", [0], [], [0])
    circuit.append("save", [1], save=Save("mean", SaveKind.PROBABILITIES))
    assert run(circuit, shots=10, seed=1).method == "sampled"
    circuit.append("save", [1], save=Save("each", SaveKind.PROBABILITIES, per_shot=True))
    result = run(circuit, shots=10, seed=1, memory=True)
    assert result.memory is not None
    np.testing.assert_allclose(result.saved["each"][:, 1], result.memory[:, 0], atol=1e-12)
    before = run(
        Circuit(2, 1).append("save", [0], save=Save("p", SaveKind.PROBABILITIES, per_shot=True)), shots=3
    )
    assert before.saved["p"].tolist() == [[1.0, 0.0]] * 3


def test_the_last_of_the_list_is_the_last_shots_state() -> None:
    circuit = Circuit(2, 2).append("h", [0]).append("measure", [0], [], [0])
    circuit.append("save", save=Save("last", SaveKind.STATEVECTOR))
    circuit.append("save", save=Save("each", SaveKind.STATEVECTOR, per_shot=True))
    circuit.append("h", [1]).append("measure", [1], [], [1])
    plain = Circuit(2, 2).append("h", [0]).append("measure", [0], [], [0])
    plain.append("save", save=Save("last", SaveKind.STATEVECTOR))
    plain.append("h", [1]).append("measure", [1], [], [1])
    for seed in range(8):
        result = run(circuit, shots=9, seed=seed, memory=True)
        np.testing.assert_array_equal(result.saved["last"], result.saved["each"][-1])
        # Lists change neither counts nor memory.
        np.testing.assert_array_equal(result.counts, run(plain, shots=9, seed=seed).counts)
        memory = run(plain, shots=9, seed=seed, memory=True).memory
        assert result.memory is not None
        assert memory is not None
        assert sorted(result.memory.tolist()) == sorted(memory.tolist())


def test_wide_circuits_have_amplitudes_too() -> None:
    size = 70
    ends = (0, (1 << size) - 1, 1 << 65)
    circuit = Circuit(size, 1).append("h", [0])
    for qubit in range(size - 1):
        circuit.append("cx", [qubit, qubit + 1])
    circuit.append("save", save=Save("s", SaveKind.AMPLITUDES, basis_states=ends))
    circuit.append("save", save=Save("p", SaveKind.AMPLITUDES_SQUARED, basis_states=ends))
    found = run(circuit, shots=1, method="matrix_product_state").saved
    np.testing.assert_allclose(found["s"], [0.5**0.5, 0.5**0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(found["p"], [0.5, 0.5, 0.0], atol=1e-12)


def test_qubits_that_are_not_held_are_in_amplitudes_and_matrices() -> None:
    circuit = Circuit(40).append("x", [39]).append("h", [3])
    states = ((1 << 39) | 8, 1 << 39, 8, 0)
    circuit.append("save", save=Save("s", SaveKind.AMPLITUDES, basis_states=states))
    circuit.append("save", [3, 39, 0], save=Save("m", SaveKind.DENSITY_MATRIX))
    found = run(circuit, shots=1, method="statevector").saved
    np.testing.assert_allclose(found["s"], [0.5**0.5, 0.5**0.5, 0.0, 0.0], atol=1e-12)
    wanted = np.zeros((8, 8))
    wanted[2:4, 2:4] = 0.5
    np.testing.assert_allclose(found["m"], wanted, atol=1e-12)


def test_density_matrices_of_many_qubits_are_read_from_state_vectors() -> None:
    random = Random(4)
    circuit = Circuit(9)
    for qubit in range(9):
        circuit.append("u", [qubit], [random.uniform(-3, 3) for _ in range(3)])
    for qubit in range(8):
        circuit.append("cx", [qubit, qubit + 1])
    circuit.append("save", save=Save("s", SaveKind.STATEVECTOR))
    chosen = [7, 0, 3, 8, 1, 4, 2]
    circuit.append("save", chosen, save=Save("m", SaveKind.DENSITY_MATRIX))
    found = run(circuit, shots=1, method="statevector").saved
    state = found["s"].reshape((2,) * 9)
    axes = [8 - qubit for qubit in reversed(chosen)] + [8 - 6, 8 - 5]
    columns = state.transpose(axes).reshape(128, 4)
    np.testing.assert_allclose(found["m"], columns @ columns.conj().T, atol=1e-12)


@pytest.mark.parametrize(
    ("save", "words"),
    [
        (Save("a", SaveKind.AMPLITUDES), "there are no basis states"),
        (Save("a", SaveKind.AMPLITUDES, basis_states=(4,)), "2 qubits have no basis state 4"),
        (Save("a", SaveKind.AMPLITUDES_SQUARED, basis_states=(-1,)), "no basis state -1"),
        (Save("a", SaveKind.EXPECTATION_VALUE_VARIANCE), "a variance is of one observable, not of 0"),
        (
            Save("a", SaveKind.EXPECTATION_VALUE_VARIANCE, (Observable(("XX",) * 1001, (1.0,) * 1001),)),
            "at most 1,000",
        ),
        (
            Save("a", SaveKind.PROBABILITIES, per_shot=True, unnormalized=True),
            "each shot has no sum over shots",
        ),
    ],
)
def test_bad_saves_are_refused(save: Save, words: str) -> None:
    with pytest.raises(CircuitError, match=words) as caught:
        validate(Circuit(2).append("save", [0, 1], save=save))
    assert caught.value.path[:2] == ("operations", 0)


def test_names_of_outcomes_are_taken() -> None:
    circuit = Circuit(1, 1).append("save", [0], save=Save("p", SaveKind.PROBABILITIES, conditional=True))
    circuit.append("save", [0], save=Save("p.outcomes", SaveKind.PROBABILITIES))
    with pytest.raises(CircuitError, match=r"label 'p\.outcomes' is used twice"):
        validate(circuit)


def test_loops_of_unknown_length_have_no_lists() -> None:
    circuit = Circuit(1, 1).append("h", [0]).append("measure", [0], [], [0])
    save = Save("p", SaveKind.PROBABILITIES, per_shot=True)
    turn = [("save", [0], [], [], {"save": save}), ("h", [0]), ("measure", [0], [], [0])]
    circuit.append("while_loop", while_loop=WhileLoop(ClbitRef(0), circuit.block(turn)))
    with pytest.raises(CircuitError, match="leave out per_shot there"):
        validate(circuit)


def test_lists_take_memory_for_each_shot_and_turn() -> None:
    circuit = Circuit(10, 4)
    turn = circuit.block([("save", [], [], [], {"save": Save("s", SaveKind.STATEVECTOR, per_shot=True)})])
    circuit.append("for_loop", for_loop=ForLoop(range(3), turn))
    one = (16 << 10) + 8
    assert saved_bytes(circuit, np.complex128, 100) == 300 * one
    assert required_bytes(circuit, shots=100) >= 600 * one
    other = Circuit(10, 4).append("save", save=Save("s", SaveKind.STATEVECTOR, conditional=True))
    assert saved_bytes(other, np.complex128, 100) == 16 * one
    assert saved_bytes(other, np.complex128, 3) == 3 * one
