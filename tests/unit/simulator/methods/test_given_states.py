"""States that circuits are given on their way: each kind by every method, or refused by its name."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
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
    GivenKind,
    GivenState,
    IfElse,
    Observable,
    Save,
    SaveKind,
    ValidCircuit,
    required_bytes,
    run,
    statevector,
    unitary,
    validate,
)
from basicaer.simulator._methods import MethodName
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import (
    Clifford,
    DensityMatrix,
    Pauli,
    StabilizerState,
    Statevector,
    SuperOp,
    random_clifford,
    random_density_matrix,
    random_quantum_channel,
    random_statevector,
    random_unitary,
)

METHODS: tuple[MethodName, ...] = get_args(MethodName)
SIZE = 3
ORDER = [2, 0, 1]
PAULIS = ("ZZI", "XXI", "YIZ", "XYZ", "IZI", "ZIX")


def random_tensors(size: int, seed: int) -> list[npt.NDArray[np.complex128]]:
    """A chain of norm 1 in no canonical form, with bonds of 3."""
    random = np.random.default_rng(seed)
    bonds = [1, *[3] * (size - 1), 1]
    tensors = [
        random.normal(size=(left, 2, right)) + 1j * random.normal(size=(left, 2, right))
        for left, right in pairwise(bonds)
    ]
    found = np.ones((1, 1), dtype=np.complex128)
    for tensor in tensors:
        found = np.concatenate([found @ tensor[:, bit] for bit in (0, 1)])
    tensors[1] = tensors[1] / np.linalg.norm(found)
    return tensors


def amplitudes_of(tensors: list[npt.NDArray[np.complex128]]) -> npt.NDArray[np.complex128]:
    found = np.ones((1, 1), dtype=np.complex128)
    for tensor in tensors:
        found = np.concatenate([found @ tensor[:, bit] for bit in (0, 1)])
    return found.reshape(-1)


STATE = random_statevector(2**SIZE, seed=1)
MIXED = random_density_matrix(2**SIZE, rank=3, seed=2)
CLIFFORD = random_clifford(SIZE, seed=3)
TENSORS = random_tensors(SIZE, 4)
# What each kind gives, and the state that it is, where it is one.
GIVEN: dict[GivenKind, tuple[GivenState, DensityMatrix | None]] = {
    GivenKind.STATEVECTOR: (GivenState.from_statevector(STATE.data), DensityMatrix(STATE)),
    GivenKind.DENSITY_MATRIX: (GivenState.from_density_matrix(MIXED.data), MIXED),
    GivenKind.STABILIZER: (
        GivenState.from_tableau(CLIFFORD.tableau),
        DensityMatrix(Statevector(CLIFFORD.to_circuit())),
    ),
    GivenKind.MATRIX_PRODUCT_STATE: (
        GivenState.from_tensors(TENSORS),
        DensityMatrix(Statevector(amplitudes_of(TENSORS))),
    ),
    GivenKind.UNITARY: (GivenState.from_unitary(random_unitary(2**SIZE, seed=5).data), None),
    GivenKind.SUPEROPERATOR: (
        GivenState.from_superoperator(SuperOp(random_quantum_channel(8, 8, rank=2, seed=6)).data),
        None,
    ),
}
PURE = {GivenKind.STATEVECTOR, GivenKind.STABILIZER, GivenKind.MATRIX_PRODUCT_STATE}
CAN: dict[MethodName, set[GivenKind]] = {
    "statevector": PURE,
    "density_matrix": PURE | {GivenKind.DENSITY_MATRIX},
    "matrix_product_state": PURE,
    "stabilizer": {GivenKind.STABILIZER},
    "superop": {GivenKind.SUPEROPERATOR},
}


def setting(given: GivenState, qubits: list[int] = ORDER) -> Circuit:
    """A circuit that has measured and entangled its qubits before they are set."""
    circuit = Circuit(SIZE, 2, global_phase=0.3).append("h", [0]).append("cx", [0, 1])
    circuit.append("measure", [1], [], [0]).append("h", [2])
    return circuit.append("set_state", qubits, set_state=given)


def expecting(circuit: Circuit) -> Circuit:
    for pauli in PAULIS:
        save = Save(pauli, SaveKind.EXPECTATION_VALUES, (Observable((pauli,), (1.0,)),))
        circuit.append("save", ORDER, save=save)
    return circuit


@pytest.mark.parametrize("kind", GivenKind)
@pytest.mark.parametrize("method", METHODS)
def test_every_kind_by_every_method(method: MethodName, kind: GivenKind) -> None:
    given, state = GIVEN[kind]
    if kind not in CAN[method]:
        circuit = setting(given)
        if method == "superop":
            circuit = Circuit(SIZE).append("set_state", ORDER, set_state=given)
            circuit.append("save", save=Save("s", SaveKind.SUPEROPERATOR))
        with pytest.raises(CircuitError, match=f"{method} can't do this: set_state with a {kind.value}"):
            run(circuit, shots=5, method=method)
        return
    if state is None:
        circuit = Circuit(SIZE).append("h", [0]).append("set_state", ORDER, set_state=given)
        circuit.append("save", save=Save("s", SaveKind.SUPEROPERATOR))
        found = SuperOp(run(circuit, shots=5, method=method).saved["s"])
        assert given.array is not None
        wanted = SuperOp(np.eye(4**SIZE)).compose(SuperOp(given.array), ORDER)
        np.testing.assert_allclose(found.data, wanted.data, atol=1e-10)
        return
    result = run(expecting(setting(given)), shots=5, seed=1, method=method)
    assert result.simulation_method == method
    for pauli in PAULIS:
        assert result.saved[pauli] == pytest.approx([state.expectation_value(Pauli(pauli)).real], abs=1e-9)


@pytest.mark.parametrize("kind", GivenKind)
def test_a_run_takes_a_method_that_can(kind: GivenKind) -> None:
    circuit = setting(GIVEN[kind][0])
    if kind is GivenKind.UNITARY:
        with pytest.raises(CircuitError, match=r"no method can run this circuit .*with a unitary matrix"):
            run(circuit)
        return
    if kind is GivenKind.SUPEROPERATOR:
        circuit = Circuit(SIZE).append("set_state", ORDER, set_state=GIVEN[kind][0])
        circuit.append("save", save=Save("s", SaveKind.SUPEROPERATOR))
    found = run(circuit, shots=5).simulation_method
    assert kind in CAN[found]


@pytest.mark.parametrize("kind", [kind for kind in GivenKind if kind in PURE])
def test_final_states_and_their_precision(kind: GivenKind) -> None:
    given, state = GIVEN[kind]
    assert state is not None
    circuit = (
        Circuit(SIZE, global_phase=0.3).append("h", [0]).append("set_state", range(SIZE), set_state=given)
    )
    for dtype in (np.complex128, np.complex64):
        found = statevector(circuit, dtype=dtype)
        assert found.dtype == dtype
        np.testing.assert_allclose(DensityMatrix(found).data, state.data, atol=1e-6)
    # From another initial state too, and with the phase of the circuit.
    if kind is GivenKind.STATEVECTOR:
        initial = np.eye(8)[5]
        np.testing.assert_allclose(
            statevector(circuit, initial=initial), STATE.data * np.exp(0.3j), atol=1e-12
        )
    kept = run(circuit, shots=3, statevector=True).statevector
    np.testing.assert_allclose(DensityMatrix(kept).data, state.data, atol=1e-9)


def test_matrices_begin_anew() -> None:
    given = GIVEN[GivenKind.UNITARY][0]
    circuit = Circuit(SIZE).append("h", [1]).append("set_state", ORDER, set_state=given).append("x", [0])
    assert given.array is not None
    matrix = np.zeros((8, 8), dtype=complex)
    places = [sum((number >> bit & 1) << ORDER[bit] for bit in range(3)) for number in range(8)]
    matrix[np.ix_(places, places)] = given.array
    np.testing.assert_allclose(unitary(circuit), matrix[np.arange(8) ^ 1], atol=1e-12)
    with pytest.raises(CircuitError, match="a matrix is set by a unitary matrix, not a state vector"):
        unitary(Circuit(SIZE).append("set_state", ORDER, set_state=GIVEN[GivenKind.STATEVECTOR][0]))
    with pytest.raises(CircuitError, match="a state vector is set by pure states, not a unitary matrix"):
        statevector(Circuit(SIZE).append("set_state", ORDER, set_state=given))


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state", "stabilizer"])
def test_in_loops_and_under_conditions(method: MethodName) -> None:
    """All shots have the same state after each turn, whatever they saw."""
    given, state = GIVEN[GivenKind.STABILIZER]
    assert state is not None
    circuit = Circuit(SIZE, 2).append("h", [0]).append("measure", [0], [], [0])
    turn = circuit.block([("set_state", ORDER, [], [], {"set_state": given}), ("measure", [1], [], [1])])
    circuit.append("for_loop", for_loop=ForLoop(range(3), turn))
    one = circuit.block([("set_state", ORDER, [], [], {"set_state": given})])
    circuit.append("if_else", if_else=IfElse(ClbitRef(0), one, one))
    circuit.append("set_state", ORDER, set_state=given, condition=ClbitRef(1))
    result = run(expecting(circuit), shots=200, seed=2, method=method)
    for pauli in PAULIS:
        assert result.saved[pauli] == pytest.approx([state.expectation_value(Pauli(pauli)).real], abs=1e-9)


def test_noise_goes_on_behind_it() -> None:
    given, state = GIVEN[GivenKind.DENSITY_MATRIX]
    assert state is not None
    channel = Channel.from_kraus([np.diag([1.0, 0.8**0.5]), [[0.0, 0.2**0.5], [0.0, 0.0]]])
    circuit = Circuit(SIZE).append("channel", [0], channel=channel)
    circuit.append("set_state", range(SIZE), set_state=given).append("channel", [1], channel=channel)
    circuit.append("save", range(SIZE), save=Save("m", SaveKind.DENSITY_MATRIX))
    wanted = state.evolve(SuperOp(channel.superoperator), [1])
    found = run(circuit, shots=3)
    assert found.simulation_method == "density_matrix"
    np.testing.assert_allclose(found.saved["m"], wanted.data, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10**6), st.booleans())
def test_tableaux_become_gates(size: int, seed: int, whole: bool) -> None:
    clifford: Any = random_clifford(size, seed=seed)
    tableau = clifford.tableau if whole else clifford.tableau[size:]
    circuit = Circuit(size).append("set_state", range(size), set_state=GivenState.from_tableau(tableau))
    circuit.append("save", save=Save("t", SaveKind.STABILIZER))
    found = run(circuit, shots=1, method="stabilizer").saved["t"]
    assert StabilizerState(Clifford(found.astype(bool))).equiv(StabilizerState(clifford))
    by_state = run(circuit_of(tableau), shots=1, method="statevector", statevector=True).statevector
    assert Statevector(clifford.to_circuit()).equiv(Statevector(by_state))


def circuit_of(tableau: Any) -> Circuit:
    given = GivenState.from_tableau(tableau)
    return Circuit(given.num_qubits).append("set_state", range(given.num_qubits), set_state=given)


def test_wide_ones_stay_what_they_are() -> None:
    clifford: Any = random_clifford(60, seed=1)
    circuit = circuit_of(clifford.tableau)
    circuit.append("save", save=Save("t", SaveKind.STABILIZER))
    result = run(circuit, shots=2)
    assert result.simulation_method == "stabilizer"
    found = Clifford(result.saved["t"].astype(bool))
    assert found.to_dict()["stabilizer"] == Clifford(clifford).to_dict()["stabilizer"] or StabilizerState(
        found
    ).equiv(StabilizerState(clifford))
    plus = np.array([0.6, 0.8]).reshape(1, 2, 1)
    chain = Circuit(80, 80).append("set_state", range(80), set_state=GivenState.from_tensors([plus] * 80))
    chain.append("cx", [0, 79]).append("save", [79], save=Save("p", SaveKind.PROBABILITIES))
    result = run(chain, shots=2)
    assert result.simulation_method == "matrix_product_state"
    assert result.saved["p"] == pytest.approx([0.36**2 + 0.64**2, 2 * 0.36 * 0.64])


def test_pickled_circuits_have_them_too() -> None:
    circuit = ValidCircuit(setting(GIVEN[GivenKind.STABILIZER][0]))
    again = pickle.loads(pickle.dumps(circuit))
    assert run(again, shots=50, seed=1).counts.tolist() == run(circuit, shots=50, seed=1).counts.tolist()


def test_their_memory_is_counted() -> None:
    plain = Circuit(10).append("h", [0])
    state = random_statevector(1 << 10, seed=1).data
    with_state = Circuit(10).append("set_state", range(10), set_state=GivenState.from_statevector(state))
    assert required_bytes(with_state) > required_bytes(plain) + 3 * state.nbytes


BELL = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GivenState.from_statevector([1.0, 1.0]), "norm 1.41421356 instead of 1"),
        (lambda: GivenState.from_statevector([1.0, 0.0, 0.0]), "the length is 3; a state vector has 2"),
        (lambda: GivenState.from_statevector([[1.0, 0.0]]), r"the state vector has the shape \(1, 2\)"),
        (lambda: GivenState.from_statevector([np.nan, 0.0]), "the state vector has a number that is not"),
        (lambda: GivenState.from_statevector("ab"), "is no array of complex numbers"),
        (lambda: GivenState.from_density_matrix(np.eye(2)), "the trace 2"),
        (lambda: GivenState.from_density_matrix([[1.0, 0.5], [0.0, 0.0]]), "not Hermitian"),
        (lambda: GivenState.from_density_matrix(np.diag([1.5, -0.5])), "negative eigenvalues"),
        (lambda: GivenState.from_density_matrix(np.ones((2, 1))), "has the shape"),
        (lambda: GivenState.from_superoperator(2 * np.eye(4)), "doesn't keep the trace"),
        (lambda: GivenState.from_superoperator(np.eye(2)), "the length is 2; a superoperator is 4"),
        (lambda: GivenState.from_unitary(np.eye(3)), "the length is 3"),
        (lambda: GivenState.from_tableau([[1, 0]]), r"the tableau is of shape \(1, 2\)"),
        (lambda: GivenState.from_tableau([[1, 0, 2]]), "something else than bits"),
        (lambda: GivenState.from_tableau([[1, 0, 0, 0, 0], [0, 0, 1, 0, 0]]), "don't commute"),
        (lambda: GivenState.from_tableau([BELL[0], BELL[0]]), "not independent"),
        (lambda: GivenState.from_tableau([[1, 2], [3]]), "is of shape"),
        (lambda: GivenState.from_tableau(np.zeros((1001, 2003))), "1,001 qubits; at most 1,000"),
        (lambda: GivenState.from_tensors([]), "the chain has 0 tensors"),
        (lambda: GivenState.from_tensors([np.ones((1, 2, 2))]), "the last bond is 2; it is 1"),
        (lambda: GivenState.from_tensors([np.ones((2, 2, 1))]), r"shape \(2, 2, 1\); it begins with 1, 2"),
        (lambda: GivenState.from_tensors([np.ones((1, 2, 1))]), "norm 1.41421356 instead of 1"),
    ],
)
def test_what_is_no_state_is_refused(make: Callable[[], GivenState], words: str) -> None:
    with pytest.raises(CircuitError, match=words):
        make()


def test_all_qubits_are_set() -> None:
    given = GIVEN[GivenKind.STATEVECTOR][0]
    with pytest.raises(CircuitError, match="is of 3 qubits, and the circuit has 4; all of them are set"):
        validate(Circuit(4).append("set_state", [0, 1, 2], set_state=given))
    with pytest.raises(CircuitError, match="set_state needs `set_state`"):
        validate(Circuit(3).append("set_state", [0, 1, 2]))
    odd = Circuit(1).append("set_state", [0], set_state=GivenState.from_unitary(np.ones((2, 2))))
    with pytest.raises(CircuitError, match="the matrix is not unitary"):
        validate(odd)
    with pytest.raises(CircuitError, match="cannot have controls"):
        validate(Circuit(4).append("set_state", [0, 1, 2, 3], set_state=given, num_controls=1))
