"""What Qiskit writes as OpenQASM 3 gives what its circuit, sent directly, gives."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.simulator.reference import TooManyLeavesError, distribution
from basicaer.v1 import circuit_pb2 as pb
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm3

from tests.unit.parsing.openqasm3.outcomes import circuit
from tests.unit.parsing.openqasm3.qiskit_circuits import dynamic_circuit

MQT_BENCH = Path(__file__).parents[3] / "circuits" / "mqtbench"
# Of mqt.bench 2.3.0, by Qiskit 2.6.2; what their circuits give when they are sent directly.
OUTCOMES: dict[str, dict[str, float]] = json.loads((MQT_BENCH / "outcomes.json").read_text())


def registers(qiskit: QuantumCircuit) -> dict[str, list[int]]:
    """The bits of each register of a circuit's text, which has one for each bit that has none."""
    found = {each.name: [qiskit.find_bit(bit).index for bit in each] for each in qiskit.cregs}
    for number, bit in enumerate(qiskit.clbits):
        if not qiskit.find_bit(bit).registers:
            found[f"_bit{number}"] = [number]
    return found


def shares(message: pb.Circuit, named: dict[str, list[int]]) -> dict[tuple[int, ...], float]:
    """The probability of each outcome, by the names of registers."""
    found: dict[tuple[int, ...], float] = {}
    for outcome, share in distribution(to_simulator(message)).items():
        values = tuple(
            sum((outcome >> bit & 1) << place for place, bit in enumerate(named[name]))
            for name in sorted(named)
        )
        found[values] = found.get(values, 0.0) + share
    return {values: share for values, share in found.items() if share > 1e-9}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63))
def test_a_dynamic_circuit(seed: int) -> None:
    qiskit = dynamic_circuit(Random(seed))
    ours = circuit(qasm3.dumps(qiskit))
    shown = {each.name: list(each.bits) for each in ours.classical_registers if not each.name.startswith(".")}
    assert set(shown) == set(registers(qiskit))
    try:
        wanted = shares(circuit_to_proto(qiskit), registers(qiskit))
        assert shares(ours, shown) == pytest.approx(wanted, abs=1e-9)
    except TooManyLeavesError:
        assume(False)


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_algorithm_of_mqt_bench(name: str) -> None:
    ours = circuit((MQT_BENCH / f"{name}.qasm").read_text())
    found: dict[str, float] = {}
    for outcome, share in distribution(to_simulator(ours)).items():
        words = " ".join(
            f"{each.name}={''.join(str(outcome >> bit & 1) for bit in reversed(each.bits))}"
            for each in sorted(ours.classical_registers, key=lambda each: each.name)
            if not each.name.startswith(".")
        )
        found[words] = found.get(words, 0.0) + share
    wanted = OUTCOMES[name]
    assert {**dict.fromkeys(wanted, 0.0), **found} == pytest.approx(
        {**dict.fromkeys(found, 0.0), **wanted}, abs=1e-8
    )
