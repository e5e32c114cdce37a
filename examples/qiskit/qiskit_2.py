"""From circuit to histogram on Qiskit 2: a measurement in the middle, and a VQE with the native estimator.

python qiskit_2.py HOST:PORT [HISTOGRAM.png]
"""

# %% A connection to the server
import sys

import numpy as np
from basicaer.client.qiskit import BasicAerProvider, EstimatorV2, job_monitor
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from qiskit.visualization import plot_histogram
from scipy.optimize import minimize

provider = BasicAerProvider(sys.argv[1])
backend = provider.get_backend("qasm_simulator")

# %% A measurement in the middle decides what follows: one qubit makes a fair coin of three sides
circuit = QuantumCircuit(2, 2, name="three sides")
circuit.ry(2 * np.arccos(np.sqrt(2 / 3)), 0)
circuit.measure(0, 0)
with circuit.if_test((circuit.clbits[0], 0)) as otherwise:
    circuit.h(1)
with otherwise:
    circuit.reset(1)
circuit.measure(1, 1)
circuit = transpile(circuit, backend, optimization_level=3)

job = backend.run(circuit, shots=3000, seed_simulator=7)
job_monitor(job)
counts = job.result().get_counts()
print(counts)

# %% The histogram
figure = plot_histogram(counts, title="A fair coin of three sides")
if len(sys.argv) > 2:
    figure.savefig(sys.argv[2])

# %% A VQE: the ground state of a transverse-field Ising chain
qubits = 4
terms = [("ZZ", [i, i + 1], -1.0) for i in range(qubits - 1)] + [("X", [i], -0.7) for i in range(qubits)]
hamiltonian = SparsePauliOp.from_sparse_list(terms, num_qubits=qubits)
ansatz = efficient_su2(qubits, reps=3)
estimator = EstimatorV2(provider)
shifts = np.pi / 2 * np.eye(ansatz.num_parameters)


def energy_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
    """All values that a step needs, by one round trip: the energy, and those of the parameter-shift rule."""
    points = np.vstack([point, point + shifts, point - shifts])
    (result,) = estimator.run([(ansatz, hamiltonian, points)]).result()
    above, below = np.split(result.data.evs[1:], 2)
    return float(result.data.evs[0]), (above - below) / 2


start = np.random.default_rng(5).uniform(-0.2, 0.2, ansatz.num_parameters)
found = minimize(energy_and_gradient, start, jac=True, method="SLSQP", options={"maxiter": 60})
exact = float(np.linalg.eigvalsh(hamiltonian.to_matrix())[0])
print(f"found {found.fun:.4f} after {found.nfev} round trips, exact {exact:.4f}")
