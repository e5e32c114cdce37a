"""Measures gradients of 200 parameters beside PennyLane Lightning's, by turns, on one thread, and prints a
table.

`python -m benchmarks.peers.gradients --peers-python PYTHON`: the one of `make bench-peers`. Set
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer import client, simulator
from basicaer.service.execution.circuits.reading import to_simulator

from benchmarks.peers._report import duration, table
from benchmarks.peers.gradients import _lightning

_PARAMETERS = 200
# Qubits, and how many rounds.
_WORKS = ((12, 21), (20, 5))
_BOUND = 2.0


def _gradients(qubits: int, layers: int) -> simulator.Gradients:
    """Return layers of rotations and rings of CX, as `_lightning.tape_of` has them."""
    circuit = client.Circuit(qubits)
    for layer in range(layers):
        for qubit in range(qubits):
            number = 2 * (layer * qubits + qubit)
            circuit.ry(circuit.add_input(f"x{number}"), qubit)
            circuit.rz(circuit.add_input(f"x{number + 1}"), qubit)
        for qubit in range(qubits):
            circuit.cx(qubit, (qubit + 1) % qubits)

    def product(letters: dict[int, str]) -> str:
        return "".join(letters.get(qubit, "I") for qubit in reversed(range(qubits)))

    pairs = [product({qubit: "Z", (qubit + 1) % qubits: "Z"}) for qubit in range(qubits)]
    field = [product({qubit: "X"}) for qubit in range(qubits)]
    energy = simulator.Observable((*pairs, *field), (*(1.0,) * qubits, *(0.5,) * qubits))
    whole = to_simulator(circuit.to_message())
    save = simulator.Save("energy", simulator.SaveKind.EXPECTATION_VALUES, (energy,))
    whole.append("save", range(qubits), save=save)
    return simulator.Gradients(simulator.Template(whole))


def _ask(peer: subprocess.Popen[str], qubits: int, angles: npt.NDArray[np.float64]) -> dict[str, Any]:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(json.dumps({"qubits": qubits, "angles": angles.tolist()}) + "\n")
    peer.stdin.flush()
    found: dict[str, Any] = json.loads(peer.stdout.readline())
    return found


def main() -> int:
    """Measure, and compare the numbers too; returns 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.gradients", description=__doc__)
    parser.add_argument("--peers-python", required=True, help="the Python that has PennyLane Lightning")
    options = parser.parse_args()
    rows, met = [], True
    command = [options.peers_python, _lightning.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        for qubits, rounds in _WORKS:
            layers = -(-_PARAMETERS // (2 * qubits))
            angles = np.random.default_rng(1).normal(size=2 * qubits * layers)
            gradients = _gradients(qubits, layers)
            times: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds + 1):
                start = time.perf_counter()
                values, derivatives = gradients.of(angles, {}, threads=1)
                seconds = time.perf_counter() - start
                told = _ask(peer, qubits, angles)
                if not np.allclose(derivatives[0], told["gradient"], rtol=0, atol=1e-8):
                    raise RuntimeError("the two gradients don't agree")
                if number:
                    times[0].append(seconds)
                    times[1].append(told["seconds"])
            ours, theirs = (statistics.median(each) for each in times)
            met = met and theirs >= _BOUND * ours
            ratio = f"{theirs / ours:.1f}"
            name = f"{qubits} qubits, {len(angles)} parameters"
            rows.append([name, duration(ours), duration(theirs), ratio, f"{_BOUND:g}", f"{values[0]:.6f}"])
        assert peer.stdin is not None
        peer.stdin.close()
    print(table(["gradient", "ours", "theirs", "times as fast", "at least", "value"], rows))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
