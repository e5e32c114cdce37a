"""From circuit to histogram as code of Qiskit 0.46 does it; only the line that names the provider is new.

python qiskit_046.py HOST:PORT [HISTOGRAM.png]
"""

# %% The server in place of `from qiskit import BasicAer`
import sys

from basicaer.client.qiskit import BasicAerProvider, job_monitor
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, execute
from qiskit.visualization import plot_histogram

BasicAer = BasicAerProvider(sys.argv[1])
print([backend.name() for backend in BasicAer.backends()])

# %% A circuit with a condition: teleportation of the state of qubit 0 to qubit 2
qubits = QuantumRegister(3, "q")
alice, bob = ClassicalRegister(2, "alice"), ClassicalRegister(1, "bob")
teleport = QuantumCircuit(qubits, alice, bob, name="teleport")
teleport.ry(1.0, qubits[0])
teleport.h(qubits[1])
teleport.cx(qubits[1], qubits[2])
teleport.cx(qubits[0], qubits[1])
teleport.h(qubits[0])
teleport.measure(qubits[:2], alice)
teleport.x(qubits[2]).c_if(alice[1], 1)
teleport.z(qubits[2]).c_if(alice[0], 1)
teleport.ry(-1.0, qubits[2])
teleport.measure(qubits[2], bob)

# %% Run it, and watch
backend = BasicAer.get_backend("qasm_simulator")
job = execute(teleport, backend, shots=1000, seed_simulator=42)
job_monitor(job)
counts = job.result().get_counts(teleport)
print(counts)

# %% The histogram
figure = plot_histogram(counts, title="Bob always finds 0")
if len(sys.argv) > 2:
    figure.savefig(sys.argv[2])

# %% The state itself
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
state = (
    execute(bell, BasicAer.get_backend("statevector_simulator")).result().get_statevector(bell, decimals=3)
)
print(state)
