"""The compiled engine against dense matrices: every gate and place, both precisions, one stage and many."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    GATES,
    Circuit,
    GateSpec,
    Instruction,
    RunControl,
    SimulationCancelled,
    statevector,
)
from basicaer.simulator.circuit._gates import controlled
from basicaer.simulator.methods.statevector._state import Amplitudes
from basicaer.simulator.methods.statevector.engine._arrays import Columns
from basicaer.simulator.methods.statevector.engine._matrices import operation_table
from basicaer.simulator.methods.statevector.engine.blocks._executor import TABLE, store_block
from basicaer.simulator.methods.statevector.engine.blocks._run import run_plan
from basicaer.simulator.methods.statevector.engine.planning._compile import compile_columns
from basicaer.simulator.reference import interpret

Dtype: TypeAlias = type[np.complex128] | type[np.complex64]
TOLERANCE: dict[Dtype, float] = {np.complex128: 1e-12, np.complex64: 2e-5}
SPECS = list({spec.name: spec for spec in GATES.values()}.values())


def dense(gates: Sequence[Instruction], num_qubits: int, state: Amplitudes) -> Amplitudes:
    """The gates applied one by one as matrices over the state's axes."""
    for name, qubits, params, *rest in gates:
        matrix = rest[1]["matrix"] if len(rest) > 1 else full_matrix(name, len(qubits), params)
        axes = [num_qubits - 1 - qubit for qubit in reversed(qubits)]
        tensor = np.moveaxis(state.reshape((2,) * num_qubits), axes, range(len(qubits)))
        tensor = (matrix @ tensor.reshape(len(matrix), -1)).reshape((2,) * num_qubits)
        state = np.moveaxis(tensor, range(len(qubits)), axes).reshape(-1)
    return state


def full_matrix(name: str, num_qubits: int, params: npt.ArrayLike) -> Amplitudes:
    spec = GATES[name]
    target = spec.target_matrices(np.array(params, dtype=float).reshape(1, -1))[0]
    controls = num_qubits - spec.num_targets
    return controlled(target, controls, (1 << controls) - 1)


def random_state(rng: np.random.Generator, num_qubits: int) -> Amplitudes:
    state = rng.normal(size=1 << num_qubits) + 1j * rng.normal(size=1 << num_qubits)
    return np.asarray(state / np.linalg.norm(state))


def basis_state(num_qubits: int) -> Amplitudes:
    state = np.zeros(1 << num_qubits, complex)
    state[0] = 1.0
    return state


def haar(rng: np.random.Generator, size: int) -> Amplitudes:
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def random_gates(
    rng: np.random.Generator, num_qubits: int, count: int, names: set[str] | None = None
) -> list[Instruction]:
    gates: list[Instruction] = []
    while len(gates) < count:
        spec = SPECS[rng.integers(len(SPECS))]
        width = spec.num_qubits + (int(rng.integers(3)) if spec.any_controls else 0)
        if width > num_qubits or (names is not None and spec.name not in names):
            continue
        qubits = [int(q) for q in rng.permutation(num_qubits)[:width]]
        gates.append((spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist()))
    return gates


def in_blocks(
    gates: list[Instruction],
    num_qubits: int,
    state: Amplitudes | None,
    bits: int,
    dtype: Dtype,
    threads: int = 1,
) -> tuple[Amplitudes, int]:
    """Run `gates` with blocks of `bits` bits, from `state` or, for None, from the basis state 0."""
    circuit = Circuit.from_gates(num_qubits, gates)
    table, pool = operation_table(circuit.operations)
    body = circuit.body
    columns = Columns(body.operations, body.qubits, body.parameters)
    span = np.array([0, len(body), 0, 0])
    lanes = 3 if dtype is np.complex128 else 4
    plan, phase, size = compile_columns(table, pool, columns, span, num_qubits, state is None, bits, lanes, 0)
    if dtype is np.complex64:
        plan = plan._replace(coefs=plan.coefs.astype(np.float32))
    fresh = state is None
    memory: Amplitudes = np.zeros(1 << num_qubits, dtype) if state is None else state.astype(dtype)
    run_plan(plan, size, memory, phase, fresh, threads, RunControl(), 1.0)
    return (memory if fresh else memory * phase), len(plan[0])


def places(spec: GateSpec, num_qubits: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Qubits for a gate: every pair of a target and its neighbour on up to 8 qubits, and beyond every first
    target; the others lie anywhere."""
    for extra in range(3 if spec.any_controls else 1):
        width = spec.num_qubits + extra
        moving = min(width, 2) if num_qubits <= 8 else min(spec.num_targets, 1)
        before = min(width - spec.num_targets, width - moving)
        if width <= num_qubits:
            for chosen in itertools.permutations(range(num_qubits), moving):
                others = [qubit for qubit in rng.permutation(num_qubits).tolist() if qubit not in chosen]
                yield [*others[:before], *chosen, *others[before : width - moving]]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_what_gates_are_compared_with_is_the_reference(spec: GateSpec) -> None:
    rng = np.random.default_rng(2)
    num_qubits = max(2, spec.num_qubits)
    gate = (
        spec.name,
        list(rng.permutation(num_qubits)[: spec.num_qubits]),
        rng.uniform(-3, 3, spec.num_parameters),
    )
    start = random_state(rng, num_qubits)
    (leaf,) = interpret(Circuit.from_gates(num_qubits, [gate]), start)
    np.testing.assert_allclose(dense([gate], num_qubits, start), leaf.state, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("num_qubits", range(1, 15))
def test_every_gate_alone_at_every_place(num_qubits: int, dtype: Dtype) -> None:
    rng = np.random.default_rng(num_qubits)
    start = random_state(rng, num_qubits)
    # The largest sizes have blocks that are smaller than the state, so that gates also meet bits outside.
    bits = {np.complex128: 10, np.complex64: 12}[dtype] if num_qubits > 12 else None
    gates: list[Instruction] = [
        (spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist())
        for spec in SPECS
        for qubits in places(spec, num_qubits, rng)
    ]
    for width in range(1, min(num_qubits, 3) + 1):
        for qubits in itertools.permutations(range(num_qubits), min(width, 2)):
            rest = [qubit for qubit in rng.permutation(num_qubits).tolist() if qubit not in qubits]
            gates.append(("unitary", [*qubits, *rest][:width], [], [], {"matrix": haar(rng, 1 << width)}))
    for gate in gates:
        expected = dense([gate], num_qubits, start)
        if bits is None:
            result = statevector(Circuit.from_gates(num_qubits, [gate]), initial=start, dtype=dtype)
        else:
            result, _ = in_blocks([gate], num_qubits, start, bits, dtype)
        difference = np.abs(result - expected).max()
        assert difference < TOLERANCE[dtype], (gate[:2], difference)


@pytest.mark.parametrize(
    "names",
    [
        None,
        {"h", "cx", "t", "tdg", "rz", "cp"},
        {"rx", "ry", "rz", "rzz", "swap", "x", "ccx", "cz"},
        {"x", "cx", "ccx", "swap", "mcx", "cz", "mcp", "h"},
    ],
    ids=["all", "clifford+t", "rotations", "permutations"],
)
@pytest.mark.parametrize("seed", range(12))
def test_random_circuits_from_any_state(seed: int, names: set[str] | None) -> None:
    rng = np.random.default_rng(seed)
    num_qubits = int(rng.integers(2, 13))
    gates = random_gates(rng, num_qubits, int(rng.integers(1, 150)), names)
    circuit = Circuit.from_gates(num_qubits, gates)
    start = random_state(rng, num_qubits)
    for dtype, tolerance in TOLERANCE.items():
        np.testing.assert_allclose(
            statevector(circuit, dtype=dtype),
            dense(gates, num_qubits, basis_state(num_qubits)),
            atol=tolerance,
        )
        np.testing.assert_allclose(
            statevector(circuit, dtype=dtype, initial=start), dense(gates, num_qubits, start), atol=tolerance
        )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("dtype", "bits"), [(np.complex128, 10), (np.complex64, 12)])
def test_many_stages(seed: int, dtype: Dtype, bits: int) -> None:
    rng = np.random.default_rng(seed)
    num_qubits = 14
    gates = random_gates(rng, num_qubits, 150)
    start = random_state(rng, num_qubits)
    for state in (None, start):
        expected = dense(gates, num_qubits, basis_state(num_qubits) if state is None else state)
        result, stages = in_blocks(gates, num_qubits, state, bits, dtype, threads=1 + seed % 3)
        assert stages > 1
        np.testing.assert_allclose(result, expected, atol=TOLERANCE[dtype])


def test_threads_change_no_bit() -> None:
    rng = np.random.default_rng(3)
    circuit = Circuit.from_gates(17, random_gates(rng, 17, 200))
    first = statevector(circuit, threads=1)
    for threads in (2, 4):
        assert np.array_equal(first, statevector(circuit, threads=threads))


@pytest.mark.parametrize(("dtype", "drift"), [(np.complex128, 1e-12), (np.complex64, 1e-4)])
@pytest.mark.parametrize("num_qubits", [8, 13])
def test_the_norm_stays_for_ten_thousand_gates(num_qubits: int, dtype: npt.DTypeLike, drift: float) -> None:
    rng = np.random.default_rng(5)
    state = statevector(Circuit.from_gates(num_qubits, random_gates(rng, num_qubits, 10_000)), dtype=dtype)
    assert abs(np.linalg.norm(state.astype(np.complex128)) - 1.0) < drift


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("controls", [1, 2, 3])
def test_matrices_with_controls(width: int, controls: int) -> None:
    rng = np.random.default_rng(10 * width + controls)
    for state in range(1 << controls):
        qubits = [int(q) for q in rng.permutation(6)[: controls + width]]
        matrix = haar(rng, 1 << width).astype(np.complex128)
        fields = {"matrix": matrix, "num_controls": controls, "control_state": state}
        circuit = Circuit.from_gates(
            6, [*(("h", [q], []) for q in range(6)), ("unitary", qubits, [], [], fields)]
        )
        spread = np.full(64, 0.125, complex)
        whole: list[Instruction] = [
            ("unitary", qubits, [], [], {"matrix": controlled(matrix, controls, state)})
        ]
        np.testing.assert_allclose(statevector(circuit), dense(whole, 6, spread), atol=1e-12)


@pytest.mark.parametrize("width", [3, 5, 7, 9])
def test_wide_matrices(width: int) -> None:
    rng = np.random.default_rng(width)
    qubits = [int(q) for q in rng.permutation(11)[:width]]
    gates = [
        ("h", [0], []),
        ("unitary", qubits, [], [], {"matrix": haar(rng, 1 << width)}),
        ("cx", [qubits[0], qubits[1]], []),
    ]
    result = statevector(Circuit.from_gates(11, gates))
    np.testing.assert_allclose(result, dense(gates, 11, basis_state(11)), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("turned", [False, True], ids=["real", "real in Hermitian products"])
@pytest.mark.parametrize("width", [4, 5, 6])
def test_matrices_that_are_real(width: int, turned: bool, dtype: Dtype) -> None:
    rng = np.random.default_rng(width)
    matrix = np.linalg.qr(rng.normal(size=(1 << width, 1 << width)))[0].astype(complex)
    if turned:
        # The bits 2 j and 2 j + 1 are x and z of a product with a factor i for each qubit where both are 1.
        factors = np.array([1j ** bin(i & i >> 1 & 0x5555).count("1") for i in range(1 << width)])
        matrix = factors[:, None] * matrix / factors
    for num_qubits in (width, 8):
        state = random_state(rng, num_qubits)
        qubits = rng.permutation(num_qubits)[:width].tolist()
        gates: list[Instruction] = [("unitary", qubits, [], [], {"matrix": matrix})]
        found = statevector(Circuit.from_gates(num_qubits, gates), initial=state, dtype=dtype)
        np.testing.assert_allclose(found, dense(gates, num_qubits, state), atol=TOLERANCE[dtype])


def test_a_large_state_stops_when_it_is_cancelled() -> None:
    circuit = Circuit.from_gates(22, random_gates(np.random.default_rng(1), 22, 50))

    class StopsAtFirstProgress(RunControl):
        def advance(self, work: float) -> None:
            self.cancel()
            super().advance(work)

    with pytest.raises(SimulationCancelled):
        statevector(circuit, control=StopsAtFirstProgress())


def test_storing_a_block_stops_when_the_run_is_cancelled() -> None:
    """A block's vectors may lie in hundreds of pages, each of which takes long when it is new."""
    at = np.zeros((2, TABLE), np.int64)
    at[0], at[1] = np.arange(TABLE) * 8, np.arange(TABLE) * 8 * TABLE
    parts = np.ones(8 * 4 * TABLE), np.full(8 * 4 * TABLE, 2.0)
    control, state = RunControl(), np.zeros(4 * 8 * TABLE, complex)
    arguments = (state.view(float), 0, (4 * TABLE).bit_length() - 1, at, at, *parts, control.flag)
    control.cancel()
    store_block(*arguments)
    assert not state.any()
    control.flag[0] = 0
    store_block(*arguments)
    assert (state == 1 + 2j).all()
