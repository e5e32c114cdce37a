"""The native primitives against Qiskit's own, which compute the same from a state vector in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from basicaer.client import CircuitError
from basicaer.client.qiskit import BasicAerProvider, EstimatorV2, SamplerV2
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import HamiltonianGate
from qiskit.primitives import BitArray, StatevectorEstimator, StatevectorSampler
from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.quantum_info import SparsePauliOp
from scipy import stats


@pytest.fixture(scope="module")
def provider(address: str) -> Iterator[BasicAerProvider]:
    """A connection to the shared server."""
    with BasicAerProvider(address) as connection:
        yield connection


def two_registers() -> QuantumCircuit:
    """A circuit with two parameters, measured into registers in another order than its qubits."""
    alpha, beta = ClassicalRegister(2, "alpha"), ClassicalRegister(1, "beta")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), alpha, beta, metadata={"who": "me"})
    a, b = Parameter("a"), Parameter("b")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(a, 0)
    circuit.rz(2 * b + 0.5, 1)
    circuit.ry(a - b, 2)
    circuit.cx(1, 2)
    circuit.measure([2, 0], alpha)
    circuit.measure([1], beta)
    return circuit


def agree(ours: BitArray, theirs: BitArray) -> None:
    """Fails when two samples are unlikely to come from one distribution (chi-square, 1 in 10^5)."""
    one, two = ours.get_int_counts(), theirs.get_int_counts()
    table = np.array([[one.get(k, 0), two.get(k, 0)] for k in sorted(set(one) | set(two))]).T
    if table.shape[1] > 1:
        assert stats.chi2_contingency(table).pvalue > 1e-5


def test_outcomes_come_by_register_and_by_parameter_values(provider: BasicAerProvider) -> None:
    circuit = two_registers()
    values = np.linspace(-2, 2, 12).reshape(2, 3, 2)
    ours = SamplerV2(provider, seed=5).run([(circuit, values)], shots=4000).result()
    theirs = StatevectorSampler(seed=5).run([(circuit, values)], shots=4000).result()
    data, expected = ours[0].data, theirs[0].data
    assert data.shape == expected.shape == (2, 3)
    for name, bits in (("alpha", 2), ("beta", 1)):
        found = getattr(data, name)
        assert (found.shape, found.num_bits, found.num_shots) == ((2, 3), bits, 4000)
        for index in np.ndindex(2, 3):
            agree(found[index], getattr(expected, name)[index])
    assert ours[0].metadata == theirs[0].metadata
    assert ours.metadata == {"version": 2}


def test_registers_of_a_shot_belong_together(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "one"), ClassicalRegister(1, "two"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    data = SamplerV2(provider).run([circuit], shots=500).result()[0].data
    assert np.array_equal(data.one.array, data.two.array)
    assert 150 < int(data.one.array.sum()) < 350
    # The order of the shots tells nothing.
    assert data.one.array.reshape(-1)[:250].sum() > 50


def test_a_register_may_be_wider_than_a_word(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(2, 70)
    circuit.x(0)
    circuit.measure(0, 69)
    circuit.measure(0, 3)
    data = SamplerV2(provider).run([circuit], shots=3).result()[0].data
    assert data.c.get_int_counts() == {2**69 + 2**3: 3}


def test_pubs_have_shots_of_their_own(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    job = SamplerV2(provider, default_shots=7).run([circuit, (circuit, None, 11), (circuit, [], 13)])
    assert [entry.data.meas.num_shots for entry in job.result()] == [7, 11, 13]
    assert SamplerV2(provider, default_shots=7).run([circuit], shots=5).result()[0].data.meas.num_shots == 5


def test_the_same_seed_gives_the_same_shots(provider: BasicAerProvider) -> None:
    circuit = two_registers()

    def shots(seed: int) -> Any:
        data = SamplerV2(provider, seed=seed).run([(circuit, [[0.1, 0.2]])], shots=64).result()[0].data
        return data.alpha.array

    assert np.array_equal(shots(1), shots(1))
    assert not np.array_equal(shots(1), shots(2))


def test_a_circuit_without_registers_warns(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    with pytest.warns(UserWarning, match="measure_all"):
        data = SamplerV2(provider).run([circuit], shots=3).result()[0].data
    assert not list(data)


def ansatz() -> QuantumCircuit:
    """Three qubits with linear and other expressions of a vector of parameters."""
    theta = ParameterVector("θ", 4)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.ry(theta[qubit], qubit)
    circuit.cx(0, 1)
    circuit.rzz(3 * theta[3] - 1, 1, 2)
    circuit.rx(theta[0] * theta[3], 2)
    circuit.p(theta[1].sin(), 0)
    circuit.cu(theta[2] / 2, 0.3, -theta[0], 0.1, 0, 2)
    return circuit


OBSERVABLES = [
    SparsePauliOp(["ZZI", "IXX", "YIY", "III"], [0.5, -1.5, 2.0, 0.25]),
    SparsePauliOp(["XYZ"], [1.0]),
    {"0I+": 1.0, "1rl": -2.0},
]


@pytest.mark.parametrize("shape", [(), (3,), (2, 1)])
def test_expectation_values_are_exact(provider: BasicAerProvider, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(3).normal(size=(*shape, 4))
    pauli = OBSERVABLES[:2]
    pubs: list[Any] = [(ansatz(), pauli[0], values)]
    if shape:
        pubs.append((ansatz(), [pauli[0]] * shape[-1], values))
    if shape == (2, 1):
        pubs.append((ansatz(), pauli, values))
    ours = EstimatorV2(provider).run(pubs).result()
    theirs = StatevectorEstimator().run(pubs).result()
    for one, other in zip(ours, theirs, strict=True):
        assert one.data.evs.shape == other.data.evs.shape
        np.testing.assert_allclose(one.data.evs, other.data.evs, atol=1e-10)
        np.testing.assert_array_equal(one.data.stds, 0.0)


def test_projectors_are_observables_too(provider: BasicAerProvider) -> None:
    values = [0.3, -0.4, 1.1, 0.7]
    letters = {
        "I": np.eye(2), "0": np.diag([1, 0]), "1": np.diag([0, 1]), "+": np.full((2, 2), 0.5),
        "r": np.array([[0.5, -0.5j], [0.5j, 0.5]]), "l": np.array([[0.5, 0.5j], [-0.5j, 0.5]]),
    }  # fmt: skip
    observable = OBSERVABLES[2]
    matrix = sum(
        factor * np.kron(np.kron(letters[word[0]], letters[word[1]]), letters[word[2]])
        for word, factor in observable.items()
    )
    circuit = ansatz()
    from qiskit.quantum_info import Statevector

    state = Statevector(circuit.assign_parameters(dict(zip(circuit.parameters, values, strict=True)))).data
    found = EstimatorV2(provider).run([(circuit, observable, values)]).result()[0].data.evs
    assert found == pytest.approx(float((state.conj() @ matrix @ state).real), abs=1e-10)


def test_noise_has_the_precision_and_follows_the_seed(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("x"), 0)
    pub = (circuit, SparsePauliOp("Z"), np.zeros((400, 1)))

    def values(**options: Any) -> Any:
        return EstimatorV2(provider, **options).run([pub], precision=0.1).result()[0].data

    one = values(seed=3)
    assert np.array_equal(one.evs, values(seed=3).evs)
    assert not np.array_equal(one.evs, values(seed=4).evs)
    np.testing.assert_array_equal(one.stds, 0.1)
    assert stats.kstest((one.evs - 1.0) / 0.1, "norm").pvalue > 1e-4


def test_a_circuit_with_random_outcomes_gives_means(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    pub = (circuit, [SparsePauliOp("ZZ"), SparsePauliOp("IX"), SparsePauliOp("ZI")])
    zz, x, z = EstimatorV2(provider, seed=1, shots=10_000).run([pub]).result()[0].data.evs
    assert zz == pytest.approx(1.0, abs=1e-12)
    assert x == pytest.approx(0.0, abs=1e-12)
    assert abs(z) < 0.05


def test_what_is_not_hermitian_is_refused(provider: BasicAerProvider) -> None:
    with pytest.raises((CircuitError, ValueError)):
        EstimatorV2(provider).run([(ansatz(), SparsePauliOp(["XYZ"], [1j]), [0.0] * 4)])


def test_the_job_is_one_of_the_servers(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    job = SamplerV2(provider).run([circuit, circuit])
    job.result()
    assert job.done()
    assert job.in_final_state()
    assert not job.running()
    assert not job.cancelled()
    assert job.status() is JobStatus.DONE
    assert provider.retrieve_job(job.job_id()).done()
    assert not job.cancel()


def test_a_job_can_be_cancelled(provider: BasicAerProvider) -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(0)
    job = SamplerV2(provider).run([circuit])
    with pytest.raises(JobTimeoutError):
        job.result(timeout=0.05)
    assert job.cancel()
    job.wait_for_final_state(timeout=30)
    assert job.cancelled()
    assert job.status() is JobStatus.CANCELLED


def test_circuits_that_need_numbers_to_be_sent(provider: BasicAerProvider) -> None:
    theta, phi = Parameter("theta"), Parameter("phi")
    circuit = QuantumCircuit(1)
    circuit.append(HamiltonianGate(np.array([[0, 0.5], [0.5, 0]]), theta), [0])
    circuit.ry(phi, 0)
    values = np.array([[0.0, np.pi], [0.0, 0.0], [0.4, 0.7]])  # phi, theta
    observables = [["Z"], ["X"]]
    pub = (circuit, observables, values)
    ours = EstimatorV2(provider).run([pub, (circuit, "Z", values[2])]).result()
    plain = QuantumCircuit(1)
    plain.rx(theta, 0)
    plain.ry(phi, 0)
    theirs = StatevectorEstimator().run([(plain, observables, values), (plain, "Z", values[2])]).result()
    for one, other in zip(ours, theirs, strict=True):
        assert one.data.evs.shape == other.data.evs.shape
        assert np.allclose(one.data.evs, other.data.evs)
    circuit.measure_all()
    counts = SamplerV2(provider).run([(circuit, values[:2])], shots=10).result()[0].data.meas
    assert [counts.get_counts(row) for row in range(2)] == [{"1": 10}, {"0": 10}]
