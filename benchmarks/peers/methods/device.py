"""Measures what the noise of a whole device costs a job on a few of its qubits, and what reading Aer's takes.

`python -m benchmarks.peers.methods.device`, by processor time: a server's checking and running of a job with
the model of 127 qubits beside the same job with the rules of its 5 qubits alone, both as any client may send
them; and the conversion of Aer's model, which a client does once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from basicaer.client import Circuit, NoiseModel
from basicaer.client.jobs import _models_of_aer
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import noise

from benchmarks.peers._report import duration, table

WIDTH = 127
USED = 5
ROUNDS = 15
SHOTS = 1000


def _device() -> GenericBackendV2:
    neighbours = [[i, i + 1] for i in range(WIDTH - 1)]
    both_ways = [*neighbours, *([b, a] for a, b in neighbours)]
    return GenericBackendV2(WIDTH, seed=1, noise_info=True, coupling_map=both_ways)


def _spec(model: NoiseModel) -> bytes:
    circuit = Circuit(USED, USED)
    for qubit in range(USED):
        circuit.sx(qubit)
    for qubit in range(USED - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(USED), range(USED))
    spec = job_pb2.JobSpec(backend_name="qasm_simulator")
    spec.options.shots, spec.options.seed_simulator = SHOTS, 1
    spec.options.noise_model.CopyFrom(model.to_message())
    spec.programs.add(circuit=circuit.to_message())
    return spec.SerializeToString()


def _seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> int:
    """Measure both, and print a table."""
    warnings.simplefilter("ignore")
    device = _device()
    of_aer = noise.NoiseModel.from_backend(device)
    converted = []
    for _ in range(ROUNDS // 3):
        _models_of_aer._LATEST = _models_of_aer._Latest()
        converted.append(_seconds(lambda: NoiseModel.from_aer(of_aer)))
    rows = [["Aer's model, read for the first time", duration(statistics.median(converted)), "", "0.1 s"]]
    with tempfile.TemporaryDirectory() as folder:
        executor = ThreadExecutor(Config(data_dir=Path(folder)))

        def answered(data: bytes) -> None:
            prepared = executor.prepare(job_pb2.JobSpec.FromString(data))
            executor.execute(prepared, prepared.new_control(), job_id="measured")

        for name, model in (
            ("the device", NoiseModel.from_backend(device)),
            ("Aer's model", NoiseModel.from_aer(of_aer)),
        ):
            jobs = [_spec(model), _spec(model.restricted(range(USED)))]
            times: list[list[float]] = [[], []]
            for number in range(ROUNDS + 1):
                for data, own in zip(jobs, times, strict=True):
                    took = _seconds(partial(answered, data))
                    if number:
                        own.append(took)
            whole, alone = map(statistics.median, times)
            more = f"{1e3 * (whole - alone):.0f} ms more"
            rows.append([f"{USED} of {WIDTH} qubits, by {name}", duration(whole), more, "50 ms more"])
        executor.close()
    print(table(["work", "takes", "than its qubits alone", "at most"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
