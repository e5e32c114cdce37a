"""Works with noise, each as what we run and what a peer runs, on the same threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import qiskit
import qiskit_aer
from basicaer.simulator import Channel, Circuit, NoiseModel, Save, SaveKind, ValidCircuit, run
from qiskit.quantum_info import Kraus, SuperOp, random_quantum_channel
from qiskit_aer import noise

from benchmarks.peers.methods import _noise_peers
from benchmarks.peers.methods._gate_lists import layers
from benchmarks.peers.methods._method_works import SHOTS, THREADS, Runs, Work

LAYERS = 20


def _models(one: float, two: float) -> tuple[NoiseModel, Any]:
    """Depolarizing channels after each gate of one qubit and of two, as a model of ours and of Aer's."""
    ours = NoiseModel().add(Channel.depolarizing(one), ["u"]).add(Channel.depolarizing(two, 2), ["cx"])
    theirs = noise.NoiseModel()
    theirs.add_all_qubit_quantum_error(noise.depolarizing_error(one, 1), ["u"])
    theirs.add_all_qubit_quantum_error(noise.depolarizing_error(two, 2), ["cx"])
    return ours, theirs


def _damping(probability: float) -> tuple[NoiseModel, Any]:
    """Amplitude damping after each gate, on each of its qubits."""
    kept, lost = (1.0 - probability) ** 0.5, probability**0.5
    channel = Channel.from_kraus([[[1.0, 0.0], [0.0, kept]], [[0.0, lost], [0.0, 0.0]]])
    theirs, error = noise.NoiseModel(), noise.amplitude_damping_error(probability)
    theirs.add_all_qubit_quantum_error(error, ["u"])
    theirs.add_all_qubit_quantum_error(error.tensor(error), ["cx"])
    return NoiseModel().add(channel, ["u", "cx"]), theirs


def _measured(size: int) -> tuple[Circuit, qiskit.QuantumCircuit]:
    ours, theirs = _both(size)
    for qubit in range(size):
        ours.append("measure", [qubit], [], [qubit])
    theirs.measure(range(size), range(size))
    return ours, theirs


def _both(size: int) -> tuple[Circuit, qiskit.QuantumCircuit]:
    ours, theirs = Circuit.from_gates(size, layers(size, LAYERS), size), qiskit.QuantumCircuit(size, size)
    for name, qubits, parameters in layers(size, LAYERS):
        getattr(theirs, name)(*parameters, *qubits)
    return ours, theirs


def _aer(circuit: qiskit.QuantumCircuit, method: str, model: Any, shots: int, **options: Any) -> Any:
    simulator = qiskit_aer.AerSimulator(
        method=method, noise_model=model, max_parallel_threads=THREADS, **options
    )
    result = simulator.run(circuit, shots=shots, seed_simulator=1).result()
    if not result.success:
        raise RuntimeError(result.status)
    return result


def _saving(size: int, own: NoiseModel, model: Any, single: bool = False) -> Runs:
    ours, theirs = _both(size)
    ours.append("save", range(size), save=Save("final", SaveKind.DENSITY_MATRIX))
    theirs.save_density_matrix()
    applied = own.applied(ours)
    dtype = np.complex64 if single else np.complex128
    options = {"precision": "single"} if single else {}
    return (
        lambda: run(ValidCircuit(applied), shots=1, method="density_matrix", threads=THREADS, dtype=dtype),
        lambda: _aer(theirs, "density_matrix", model, 1, **options),
    )


def density_matrix(size: int, single: bool = False) -> Runs:
    """Return the density matrix of a circuit with depolarizing noise, from its checked form and its noise."""
    return _saving(size, *_models(0.01, 0.02), single)


def damping(size: int) -> Runs:
    """Return the same where amplitudes are damped after each gate."""
    return _saving(size, *_damping(0.01))


def pair_noise(size: int) -> Runs:
    """Return the same where a channel of two qubits, with Kraus operators of all entries, comes after CX."""
    channel = SuperOp(random_quantum_channel(4, 4, rank=4, seed=1))
    ours, theirs = NoiseModel().add(Channel.from_superoperator(channel.data), ["cx"]), noise.NoiseModel()
    theirs.add_all_qubit_quantum_error(noise.kraus_error(Kraus(channel).data), ["cx"])
    return _saving(size, ours, theirs)


def trajectories(size: int, probability: float, shots: int = SHOTS, branching: bool = False) -> Runs:
    """Return counts of shots with errors; `branching` lets Aer share what its shots have in common."""
    own, model = _models(probability, probability)
    ours, theirs = _measured(size)
    applied = own.applied(ours)
    options = {"shot_branching_enable": True, "shot_branching_sampling_enable": True} if branching else {}
    return (
        lambda: run(ValidCircuit(applied), shots=shots, seed=1, method="statevector", threads=THREADS),
        lambda: _aer(theirs, "statevector", model, shots, **options),
    )


def few_qubits(size: int, shots: int) -> Runs:
    """Return counts by the method that each chooses for a few qubits and many shots."""
    own, model = _models(1e-3, 1e-3)
    ours, theirs = _measured(size)
    applied = own.applied(ours)
    return (
        lambda: run(ValidCircuit(applied), shots=shots, seed=1, threads=THREADS),
        lambda: _aer(theirs, "density_matrix", model, shots),
    )


def damped_shots(size: int, shots: int) -> Runs:
    """Return counts of shots whose amplitudes are damped, by trajectories."""
    own, model = _damping(0.01)
    ours, theirs = _measured(size)
    applied = own.applied(ours)
    return (
        lambda: run(ValidCircuit(applied), shots=shots, seed=1, method="statevector", threads=THREADS),
        lambda: _aer(theirs, "statevector", model, shots),
    )


def beside_qsim(size: int, probability: float, shots: int = SHOTS) -> Runs:
    """Return counts of shots with errors in single precision, beside qsim's trajectories."""
    own, _ = _models(probability, probability)
    ours, _ = _measured(size)
    applied = own.applied(ours)

    def counted() -> Any:
        return run(
            ValidCircuit(applied),
            shots=shots,
            seed=1,
            method="statevector",
            threads=THREADS,
            dtype=np.complex64,
        )

    return counted, _noise_peers.qsim(size, layers(size, LAYERS), probability, shots, THREADS)


def beside_qulacs(size: int, probability: float, shots: int) -> Runs:
    """Return counts of shots with errors by the method that is chosen, beside qulacs' trajectories."""
    own, _ = _models(probability, probability)
    ours, _ = _measured(size)
    applied = own.applied(ours)
    return (
        lambda: run(ValidCircuit(applied), shots=shots, seed=1, threads=THREADS),
        _noise_peers.qulacs(size, layers(size, LAYERS), probability, shots),
    )


NOISY_WORKS = (
    Work("density matrix of 8 qubits", "Aer", 8, lambda: density_matrix(8), rounds=15),
    Work("density matrix of 10 qubits", "Aer", 8, lambda: density_matrix(10)),
    Work("density matrix of 12 qubits", "Aer", 8, lambda: density_matrix(12), rounds=1),
    Work("density matrix of 8 qubits, complex64", "Aer", 15, lambda: density_matrix(8, True), rounds=15),
    Work("density matrix of 10 qubits, complex64", "Aer", 15, lambda: density_matrix(10, True)),
    Work("damped density matrix of 8 qubits", "Aer", 8, lambda: damping(8), rounds=15),
    Work("damped density matrix of 10 qubits", "Aer", 8, lambda: damping(10)),
    Work("noisy pairs, density matrix of 8 qubits", "Aer", 8, lambda: pair_noise(8), rounds=15),
    Work("noisy pairs, density matrix of 10 qubits", "Aer", 8, lambda: pair_noise(10)),
    Work("1,000 shots of 16 qubits, errors 0.001", "Aer", 10, lambda: trajectories(16, 1e-3), rounds=1),
    Work("1,000 shots of 16 qubits, errors 0.01", "Aer", 10, lambda: trajectories(16, 1e-2), rounds=1),
    Work(
        "1,000 shots of 16 qubits, errors 0.001",
        "Aer, branching",
        5,
        lambda: trajectories(16, 1e-3, branching=True),
        rounds=1,
    ),
    Work("1,000 shots of 16 qubits, errors 0.001", "qsim", 1, lambda: beside_qsim(16, 1e-3), rounds=1),
    Work("1,000 shots of 16 qubits, errors 0.01", "qsim", 1, lambda: beside_qsim(16, 1e-2), rounds=1),
    Work("10,000 shots of 8 qubits, errors 0.001", "Aer", 1, lambda: few_qubits(8, 10_000)),
    Work("10,000 shots of 12 qubits, errors 0.001", "Aer", 1, lambda: few_qubits(12, 10_000), rounds=1),
    Work(
        "10,000 shots of 8 qubits, errors 0.001",
        "qulacs",
        1,
        lambda: beside_qulacs(8, 1e-3, 10_000),
        rounds=1,
    ),
    Work("10,000 shots of 8 qubits, errors 0.001", "qsim", 1, lambda: beside_qsim(8, 1e-3, 10_000), rounds=1),
    Work("1,000 damped shots of 10 qubits", "Aer", 3, lambda: damped_shots(10, 1000)),
)
