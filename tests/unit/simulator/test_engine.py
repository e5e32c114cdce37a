"""The compiled engine against dense matrices: every gate and place, both precisions, one stage and many."""

import itertools

import numpy as np
import pytest
from basicaer.simulator import GATES, Circuit, RunControl, SimulationCancelled, statevector
from basicaer.simulator._gates import controlled
from basicaer.simulator.engine._compile import compile_columns
from basicaer.simulator.engine._executor import TABLE, store_block
from basicaer.simulator.engine._matrices import operation_table
from basicaer.simulator.engine._run import run_plan
from basicaer.simulator.reference import interpret

TOLERANCE = {np.complex128: 1e-12, np.complex64: 2e-5}
SPECS = list({spec.name: spec for spec in GATES.values()}.values())


def dense(gates, num_qubits, state):
    """The gates applied one by one as matrices over the state's axes."""
    for name, qubits, params, *rest in gates:
        matrix = rest[1]["matrix"] if len(rest) > 1 else full_matrix(name, len(qubits), params)
        axes = [num_qubits - 1 - qubit for qubit in reversed(qubits)]
        tensor = np.moveaxis(state.reshape((2,) * num_qubits), axes, range(len(qubits)))
        tensor = (matrix @ tensor.reshape(len(matrix), -1)).reshape((2,) * num_qubits)
        state = np.moveaxis(tensor, range(len(qubits)), axes).reshape(-1)
    return state


def full_matrix(name, num_qubits, params):
    spec = GATES[name]
    target = spec.target_matrices(np.array(params, dtype=float).reshape(1, -1))[0]
    controls = num_qubits - spec.num_targets
    return controlled(target, controls, (1 << controls) - 1)


def random_state(rng, num_qubits):
    state = rng.normal(size=1 << num_qubits) + 1j * rng.normal(size=1 << num_qubits)
    return state / np.linalg.norm(state)


def basis_state(num_qubits):
    state = np.zeros(1 << num_qubits, complex)
    state[0] = 1.0
    return state


def haar(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def random_gates(rng, num_qubits, count, names=None):
    gates = []
    while len(gates) < count:
        spec = SPECS[rng.integers(len(SPECS))]
        width = spec.num_qubits + (int(rng.integers(3)) if spec.any_controls else 0)
        if width > num_qubits or (names is not None and spec.name not in names):
            continue
        qubits = [int(q) for q in rng.permutation(num_qubits)[:width]]
        gates.append((spec.name, qubits, rng.uniform(-3, 3, spec.num_parameters).tolist()))
    return gates


def in_blocks(gates, num_qubits, state, bits, dtype, threads=1):
    """Run `gates` with blocks of `bits` bits, from `state` or, for None, from the basis state 0."""
    circuit = Circuit.from_gates(num_qubits, gates)
    table, pool = operation_table(circuit.operations)
    body = circuit.body
    columns = (body.operations, body.qubits, body.parameters)
    span = np.array([0, len(body), 0, 0])
    lanes = 3 if dtype is np.complex128 else 4
    plan, phase, size = compile_columns(table, pool, columns, span, num_qubits, state is None, bits, lanes, 0)
    if dtype is np.complex64:
        plan = (plan[0], plan[1], plan[2].astype(np.float32), plan[3])
    fresh = state is None
    memory = np.zeros(1 << num_qubits, dtype) if fresh else state.astype(dtype)
    run_plan(plan, size, memory, phase, fresh, threads, RunControl(), 1.0)
    return (memory if fresh else memory * phase), len(plan[0])


def places(spec, num_qubits, rng):
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
def test_what_gates_are_compared_with_is_the_reference(spec):
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
def test_every_gate_alone_at_every_place(num_qubits, dtype):
    rng = np.random.default_rng(num_qubits)
    start = random_state(rng, num_qubits)
    # The largest sizes have blocks that are smaller than the state, so that gates also meet bits outside.
    bits = {np.complex128: 10, np.complex64: 12}[dtype] if num_qubits > 12 else None
    gates = [
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
def test_random_circuits_from_any_state(seed, names):
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
def test_many_stages(seed, dtype, bits):
    rng = np.random.default_rng(seed)
    num_qubits = 14
    gates = random_gates(rng, num_qubits, 150)
    start = random_state(rng, num_qubits)
    for state in (None, start):
        expected = dense(gates, num_qubits, basis_state(num_qubits) if state is None else state)
        result, stages = in_blocks(gates, num_qubits, state, bits, dtype, threads=1 + seed % 3)
        assert stages > 1
        np.testing.assert_allclose(result, expected, atol=TOLERANCE[dtype])


def test_threads_change_no_bit():
    rng = np.random.default_rng(3)
    circuit = Circuit.from_gates(17, random_gates(rng, 17, 200))
    first = statevector(circuit, threads=1)
    for threads in (2, 4):
        assert np.array_equal(first, statevector(circuit, threads=threads))


@pytest.mark.parametrize(("dtype", "drift"), [(np.complex128, 1e-12), (np.complex64, 1e-4)])
@pytest.mark.parametrize("num_qubits", [8, 13])
def test_the_norm_stays_for_ten_thousand_gates(num_qubits, dtype, drift):
    rng = np.random.default_rng(5)
    state = statevector(Circuit.from_gates(num_qubits, random_gates(rng, num_qubits, 10_000)), dtype=dtype)
    assert abs(np.linalg.norm(state.astype(np.complex128)) - 1.0) < drift


@pytest.mark.parametrize("width", [3, 5, 7, 9])
def test_wide_matrices(width):
    rng = np.random.default_rng(width)
    qubits = [int(q) for q in rng.permutation(11)[:width]]
    gates = [
        ("h", [0], []),
        ("unitary", qubits, [], [], {"matrix": haar(rng, 1 << width)}),
        ("cx", [qubits[0], qubits[1]], []),
    ]
    result = statevector(Circuit.from_gates(11, gates))
    np.testing.assert_allclose(result, dense(gates, 11, basis_state(11)), atol=1e-12)


def test_a_large_state_stops_when_it_is_cancelled():
    circuit = Circuit.from_gates(22, random_gates(np.random.default_rng(1), 22, 50))

    class StopsAtFirstProgress(RunControl):
        def advance(self, work):
            self.cancel()
            super().advance(work)

    with pytest.raises(SimulationCancelled):
        statevector(circuit, control=StopsAtFirstProgress())


def test_storing_a_block_stops_when_the_run_is_cancelled():
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
