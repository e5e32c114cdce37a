"""What every method of simulation must do, as tests; the next method inherits them.

class TestStabilizer(MethodContract):
    method = STABILIZER
    gates = CLIFFORDS
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest
from basicaer.simulator import Circuit, Observable, RunControl, SimulationCancelled
from basicaer.simulator.circuit._layout import Layout
from basicaer.simulator.circuit._segment import Segment
from basicaer.simulator.methods.interface import Method
from basicaer.simulator.reference import interpret
from scipy import stats

ANY_GATES = ("h", "x", "s", "t", "rx", "u", "cx", "cz", "cp", "swap", "rzz", "ccx")


class MethodContract:
    """The tests. `gates` are those that the method applies, `dtypes` its precisions with their tolerances."""

    method: ClassVar[Method[Any]]
    gates: ClassVar[Sequence[str]] = ANY_GATES
    dtypes: ClassVar[dict[str, float]] = {"c16": 1e-12, "c8": 1e-5}

    def circuit(self, seed: int, num_qubits: int = 5, count: int = 20) -> Circuit:
        """Some of the method's gates at random."""
        from basicaer.simulator import GATES

        random, circuit = Random(seed), Circuit(num_qubits)
        for _ in range(count):
            spec = GATES[random.choice(self.gates)]
            angles = [random.uniform(-3, 3) for _ in range(spec.num_parameters)]
            circuit.append(spec.name, random.sample(range(num_qubits), spec.num_qubits), angles)
        return circuit

    def segment(self, circuit: Circuit) -> Segment:
        """The circuit's gates."""
        table = circuit.operations
        return Segment(circuit.num_qubits, table, Layout(table), circuit.body)

    def state(self, circuit: Circuit, dtype: str = "c16", threads: int | None = 1) -> Any:
        """The state after the circuit's gates."""
        state = self.method.zero(circuit.num_qubits, np.dtype(dtype))
        self.method.plan(self.segment(circuit), threads).apply(state, RunControl())
        return state

    def amplitudes(self, state: Any, phase: complex = 1.0) -> Any:
        """All of a state's amplitudes."""
        size = state.num_qubits
        return self.method.statevector(state, size, list(range(size)), (), phase, RunControl())

    def expected(self, circuit: Circuit) -> Any:
        """The amplitudes by the reference."""
        (leaf,) = interpret(circuit)
        return leaf.state

    @pytest.mark.parametrize("seed", range(5))
    def test_gates_give_the_references_state(self, seed: int) -> None:
        circuit = self.circuit(seed)
        for dtype, tolerance in self.dtypes.items():
            found = self.amplitudes(self.state(circuit, dtype))
            np.testing.assert_allclose(found, self.expected(circuit), atol=tolerance)

    def test_all_qubits_begin_in_0(self) -> None:
        for num_qubits in (0, 1, 4):
            state = self.method.zero(num_qubits, np.dtype("c16"))
            assert state.num_qubits == num_qubits
            np.testing.assert_array_equal(self.amplitudes(state), np.eye(1, 1 << num_qubits)[0])

    def test_a_copy_lives_by_itself(self) -> None:
        state = self.state(self.circuit(1))
        before = self.amplitudes(state)
        copy = state.copy(RunControl())
        copy.flip(2, RunControl())
        np.testing.assert_array_equal(self.amplitudes(state), before)
        np.testing.assert_array_equal(self.amplitudes(copy), before.reshape(4, 2, 4)[:, ::-1].reshape(-1))

    def test_equal_plans_give_equal_bits_on_any_threads(self) -> None:
        circuit = self.circuit(2, 6, 40)
        one, two = (self.amplitudes(self.state(circuit, threads=threads)) for threads in (1, 2))
        np.testing.assert_array_equal(one, two)

    def test_a_plan_is_applied_again_and_again_and_to_what_is_there(self) -> None:
        circuit = self.circuit(3)
        plan = self.method.plan(self.segment(circuit), 1)
        state = self.method.zero(5, np.dtype("c16"))
        twice = Circuit(5, operations=circuit.operations, body=circuit.body)
        for turn in range(3):
            plan.apply(state, RunControl())
            if turn == 1:
                twice = Circuit.from_gates(5, [*_instructions(circuit), *_instructions(circuit)])
                np.testing.assert_allclose(self.amplitudes(state), self.expected(twice), atol=1e-12)

    def test_an_unpickled_plan_gives_equal_bits(self) -> None:
        circuit = self.circuit(4, 7, 40)
        plan = self.method.plan(self.segment(circuit), 1)
        state = self.method.zero(7, np.dtype("c16"))
        plan.apply(state, RunControl())
        again = self.method.zero(7, np.dtype("c16"))
        pickle.loads(pickle.dumps(plan)).apply(again, RunControl())
        np.testing.assert_array_equal(self.amplitudes(again), self.amplitudes(state))

    @pytest.mark.parametrize("qubits", [[0], [4], [1, 3], [0, 2, 4], [0, 1, 2, 3, 4]])
    def test_weights_and_probabilities(self, qubits: list[int]) -> None:
        circuit = self.circuit(5)
        state = self.state(circuit)
        expected = _marginal(np.abs(self.expected(circuit)) ** 2, qubits)
        np.testing.assert_allclose(state.weights(qubits, RunControl()), expected, atol=1e-12)
        turned = qubits[::-1]
        found = self.method.probabilities(state, [*turned, 5, 6], RunControl())
        of_turned = _marginal(np.abs(self.expected(circuit)) ** 2, turned)
        # Qubits that aren't held: the first is in 0, the second in 1.
        np.testing.assert_allclose(found.reshape(2, 2, -1)[1, 0], of_turned, atol=1e-12)
        assert found.sum() == pytest.approx(1.0, abs=1e-12)

    def test_collapse_projects_and_norms(self) -> None:
        circuit = self.circuit(6)
        state = self.state(circuit)
        weights = state.weights([1, 4], RunControl())
        value = int(weights.argmax())
        state.collapse({1: value & 1, 4: value >> 1}, float(weights[value]), RunControl())
        expected = self.expected(circuit)
        index = np.arange(32)
        kept = (index >> 1 & 1 == value & 1) & (index >> 4 & 1 == value >> 1)
        expected = np.where(kept, expected, 0.0)
        expected /= np.linalg.norm(expected)
        np.testing.assert_allclose(self.amplitudes(state), expected, atol=1e-12)
        assert state.weights([1], RunControl())[value & 1] == pytest.approx(1.0, abs=1e-12)

    def test_flip_exchanges(self) -> None:
        circuit = self.circuit(7)
        state = self.state(circuit)
        state.flip(3, RunControl())
        expected = self.expected(circuit).reshape(2, 2, 8)[:, ::-1].reshape(-1)
        np.testing.assert_allclose(self.amplitudes(state), expected, atol=1e-12)

    def test_prepare_gives_qubits_in_0_a_state(self) -> None:
        state = self.method.zero(4, np.dtype("c16"))
        given = np.array([1.0, 0.0, 0.0, 1.0]) * 0.5**0.5
        state.prepare([2, 0], given, RunControl())
        expected = np.zeros(16)
        expected[0b0000] = expected[0b0101] = 0.5**0.5
        np.testing.assert_allclose(self.amplitudes(state), expected, atol=1e-12)

    def test_samples_are_those_of_the_probabilities_and_of_the_seed(self) -> None:
        circuit = self.circuit(8)
        state, shots = self.state(circuit), 20_000
        before = self.amplitudes(state)
        drawn = [
            self.method.sample(state, shots, np.random.default_rng(7), RunControl(), 5) for _ in range(2)
        ]
        for first, second in zip(*drawn, strict=True):
            np.testing.assert_array_equal(first, second)
        indices, counts = drawn[0]
        assert (np.diff(indices) > 0).all()
        assert counts.sum() == shots
        probabilities = np.abs(self.expected(circuit)) ** 2
        likely = probabilities * shots > 5
        found = np.zeros(32)
        found[indices] = counts
        assert found[probabilities < 1e-12].sum() == 0
        expected = probabilities[likely] * found[likely].sum() / probabilities[likely].sum()
        assert stats.chisquare(found[likely], expected).pvalue > 1e-4
        np.testing.assert_array_equal(self.amplitudes(state), before)

    def test_expectations_of_pauli_sums(self) -> None:
        circuit = self.circuit(9)
        state = self.state(circuit)
        observables = [Observable(("XYZ", "IZZ", "III"), (0.5, -1.5, 2.0)), Observable(("ZII",), (1.0,))]
        read = self.method.expectations(observables, [3, 0, 2], 5)
        letters = {
            "I": np.eye(2),
            "X": np.array([[0, 1], [1, 0]]),
            "Y": np.array([[0, -1j], [1j, 0]]),
            "Z": np.diag([1, -1]),
        }
        amplitudes = self.expected(circuit)
        expected = []
        for observable in observables:
            total = 0.0
            for pauli, factor in zip(observable.paulis, observable.coefficients, strict=True):
                of_qubit = dict(zip([3, 0, 2], reversed(pauli), strict=True))
                matrix = np.eye(1)
                for qubit in range(5):
                    matrix = np.kron(letters[of_qubit.get(qubit, "I")], matrix)
                total += factor * np.vdot(amplitudes, matrix @ amplitudes).real
            expected.append(total)
        for _ in range(2):
            np.testing.assert_allclose(read.values(state, RunControl()), expected, atol=1e-12)

    def test_a_state_vector_of_more_qubits(self) -> None:
        circuit = self.circuit(10)
        found = self.method.statevector(
            self.state(circuit), 7, [0, 1, 3, 4, 6], (5,), 1j, RunControl()
        ).reshape((2,) * 7)
        expected = np.zeros((2,) * 7, complex)
        # Axes are 6, 5, ..., 0: qubit 5 is in 1, qubit 2 in 0.
        expected[:, 1, :, :, 0] = 1j * self.expected(circuit).reshape((2,) * 5)
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_what_is_cancelled_ends(self) -> None:
        control = RunControl()
        control.cancel()
        with pytest.raises(SimulationCancelled):
            self.method.plan(self.segment(self.circuit(11)), 1).apply(
                self.method.zero(5, np.dtype("c16")), control
            )

    def test_sizes_and_times_grow(self) -> None:
        sizes = [self.method.required_bytes(size, np.dtype("c16")) for size in (1, 10, 1000)]
        assert 0 < sizes[0] <= sizes[1] <= sizes[2]
        assert all(isinstance(size, int) for size in sizes)
        assert self.method.required_bytes(10, np.dtype("c8")) <= sizes[1]
        assert 0 < self.method.work(3, 1.0) <= self.method.work(3, 2.0) <= self.method.work(4, 2.0)


def _instructions(circuit: Circuit) -> list[Any]:
    layout, body = Layout(circuit.operations), circuit.body
    places = layout.offsets(body)
    return [
        (
            circuit.operations[number].name,
            body.qubits[places.qubits[i] : places.qubits[i + 1]].tolist(),
            body.parameters[places.parameters[i] : places.parameters[i + 1]].tolist(),
        )
        for i, number in enumerate(body.operations)
    ]


def _marginal(probabilities: Any, qubits: Sequence[int]) -> Any:
    found = np.zeros(1 << len(qubits))
    for index, probability in enumerate(probabilities):
        found[sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits))] += probability
    return found
