"""From circuit to histogram on Qiskit 1; only the line that names the provider is new.

python qiskit_1.py HOST:PORT [HISTOGRAM.png]
"""

# %% The server in place of `from qiskit.providers.basic_provider import BasicProvider`
import sys

import numpy as np
from basicaer.client.qiskit import BasicAerProvider, job_monitor
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.visualization import plot_histogram

provider = BasicAerProvider(sys.argv[1])
backend = provider.get_backend("basic_simulator")

# %% A circuit, and what the backend makes of it
theta = Parameter("theta")
circuit = QuantumCircuit(4, name="ghz")
circuit.ry(theta, 0)
for qubit in range(3):
    circuit.cx(qubit, qubit + 1)
circuit.measure_all()
circuit = transpile(circuit, backend)
print(dict(circuit.count_ops()))

# %% All values of its parameter in one job: the circuit is sent once
values = np.linspace(0, np.pi, 5)
job = backend.run(circuit, shots=1000, seed_simulator=7, parameter_binds=[{theta: values}])
job_monitor(job)
counts = job.result().get_counts()
for value, found in zip(values, counts, strict=True):
    print(f"{value:.2f}", found)

# %% The histogram
figure = plot_histogram(counts, legend=[f"theta = {value:.2f}" for value in values])
if len(sys.argv) > 2:
    figure.savefig(sys.argv[2])
