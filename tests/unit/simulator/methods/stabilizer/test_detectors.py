"""Circuits in stim's language: detectors and observables at stim's rates, noise of every kind at its
probabilities.
"""

from __future__ import annotations

import numpy as np
import pytest
import stim
from basicaer.simulator import (
    Circuit,
    CircuitError,
    ClbitRef,
    Literal,
    OptionError,
    ReadoutError,
    RunControl,
    Save,
    SaveKind,
    SimulationCancelled,
    Store,
    Unary,
    UnaryOperator,
    read_stim,
    run,
    sample_detectors,
)
from basicaer.simulator.stim_text._gates import GATES
from hypothesis import given, settings
from hypothesis import strategies as st

SHOTS = 100_000
GATES_1 = [name for name, (width, _) in GATES.items() if width == 1]
GATES_2 = [name for name, (width, _) in GATES.items() if width == 2]
NOISE = (
    "X_ERROR(0.1) {a}",
    "Y_ERROR(0.2) {a}",
    "Z_ERROR(0.3) {a}",
    "DEPOLARIZE1(0.2) {a}",
    "DEPOLARIZE2(0.3) {a} {b}",
    "PAULI_CHANNEL_1(0.1,0.2,0.05) {a}",
    "E(0.3) X{a} Z{b}",
    "E(0.2) Y{a}\nELSE_CORRELATED_ERROR(0.5) X{a} X{b}\nELSE_CORRELATED_ERROR(0.5) Z{b}",
    "HERALDED_ERASE(0.4) {a} {b}",
    "HERALDED_PAULI_CHANNEL_1(0.1,0.2,0.05,0.1) {a}",
    "PAULI_CHANNEL_2(0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.08) {a} {b}",
)
ENDS = (
    "MPP X{a}*!Z{b} Y{b}",
    "MPP(0.1) Z{a}*Y{b}",
    "MXX {a} {b}",
    "MYY !{a} {b}",
    "MZZ(0.2) !{a} !{b}",
    "MPAD 0 1",
    "MX {a} {b} {a}",
    "SPP X{a}*Y{b}",
    "SPP_DAG !X{a}*Z{b}",
    "M {a}",
    "M(0.2) {a}",
    "MX {a}",
    "MY !{a}",
    "MR {a}",
    "MRX(0.1) {a}",
    "M !{a}",
    "MRY {a}",
    "MR !{a}",
)
RESETS = ("R {a}", "RX {a}", "RY {a}")
FEEDBACK = (
    "CX rec[-1] {a}",
    "CZ {a} rec[-1]",
    "CY rec[-1] {a} {a} {b}",
    "XCZ {a} rec[-1]",
    "YCZ {a} rec[-1]",
)


def assert_rates_agree(circuit: stim.Circuit, shots: int = SHOTS) -> None:
    """Check that each detector and each pair of them fires as often as stim's, within five sigma."""
    samples = sample_detectors(str(circuit), shots=shots, seed=11)
    found = np.concatenate(samples.unpacked(), axis=1).astype(np.float64)
    expected = (
        circuit.compile_detector_sampler(seed=12).sample(shots, append_observables=True).astype(np.float64)
    )
    assert found.shape == expected.shape
    for ours, theirs in (
        (found.mean(axis=0), expected.mean(axis=0)),
        (found.T @ found / shots, expected.T @ expected / shots),
    ):
        deviation = np.sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / shots)
        # Of some thousand pairs the farthest lies beyond four sigma by itself.
        np.testing.assert_array_less(np.abs(ours - theirs), 5.5 * deviation + 1e-9)


@pytest.mark.parametrize(
    ("task", "distance"),
    [
        ("surface_code:rotated_memory_z", 3),
        ("surface_code:rotated_memory_x", 3),
        ("surface_code:unrotated_memory_z", 3),
        ("repetition_code:memory", 5),
        ("color_code:memory_xyz", 3),
    ],
)
def test_detectors_fire_as_often_as_stims(task: str, distance: int) -> None:
    circuit = stim.Circuit.generated(
        task,
        distance=distance,
        rounds=3,
        after_clifford_depolarization=0.01,
        before_measure_flip_probability=0.02,
        after_reset_flip_probability=0.015,
        before_round_data_depolarization=0.01,
    )
    assert_rates_agree(circuit)


def test_a_large_code_within_five_sigma() -> None:
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_z", distance=7, rounds=5, after_clifford_depolarization=0.002
    )
    shots = 200_000
    samples = sample_detectors(str(circuit), shots=shots, seed=1)
    found = samples.unpacked()[0].mean(axis=0)
    expected = circuit.compile_detector_sampler(seed=2).sample(shots).mean(axis=0)
    deviation = np.sqrt((found * (1 - found) + expected * (1 - expected)) / shots)
    np.testing.assert_array_less(np.abs(found - expected), 5 * deviation + 1e-9)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A circuit of few qubits with all that is supported, whose measurements are its detectors."""
    size, lines = 4, ["R 0 1 2 3", "M 0"]
    for _ in range(draw(st.integers(5, 25))):
        a, b = draw(st.permutations(range(size)))[:2]
        kind = draw(st.sampled_from((GATES_1, GATES_2, NOISE, ENDS, RESETS, FEEDBACK)))
        text = draw(st.sampled_from(kind))
        if kind is GATES_1:
            text += " {a}"
        elif kind is GATES_2:
            text += " {a} {b}"
        lines.append(text.format(a=a, b=b))
    return "\n".join(lines)


@settings(max_examples=25, deadline=None)
@given(texts())
def test_outcomes_have_stims_probabilities(text: str) -> None:
    program = read_stim(text)
    measured = stim.Circuit(text).num_measurements
    assert program.num_clbits == measured
    shots = 20_000
    memory = run(program, shots=shots, method="stabilizer", seed=3, memory=True).memory
    assert memory is not None
    ours = np.unpackbits(memory.view(np.uint8), axis=1, bitorder="little", count=measured).astype(np.float64)
    theirs = stim.Circuit(text).compile_sampler(seed=4).sample(shots).astype(np.float64)
    for one, two in (
        (ours.mean(axis=0), theirs.mean(axis=0)),
        (ours.T @ ours / shots, theirs.T @ theirs / shots),
    ):
        deviation = np.sqrt((one * (1 - one) + two * (1 - two)) / shots)
        np.testing.assert_array_less(np.abs(one - two), 6 * deviation + 1e-9)


def test_products_and_pads_are_measured() -> None:
    text = "RX 0 1\nMPP X0*X1 Z0*Z1\nMXX 0 1\nDETECTOR rec[-1] rec[-3]\nMPAD 1\nDETECTOR rec[-1]"
    found = sample_detectors(text, shots=100).unpacked()[0]
    assert not found[:, 0].any()
    # A shot without noise has the pad too.
    assert not found[:, 1].any()


def test_repeated_blocks_and_observables() -> None:
    text = "REPEAT 3 {\nX_ERROR(1) 0\nM 0\nDETECTOR rec[-1]\n}\nOBSERVABLE_INCLUDE(1) rec[-1] rec[-2] rec[-1]"
    samples = sample_detectors(text, shots=70)
    detectors, observables = samples.unpacked()
    assert detectors.tolist() == [[True, False, True]] * 70
    assert observables.tolist() == [[False, False]] * 70
    assert samples.detectors.shape == (70, 1)
    assert (samples.num_detectors, samples.num_observables) == (3, 2)


def test_the_same_seed_gives_the_same_on_any_threads() -> None:
    circuit = read_stim("R 0 1\nDEPOLARIZE2(0.3) 0 1\nM 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]")
    one, two = (sample_detectors(circuit, shots=50_000, seed=9, threads=threads) for threads in (1, 2))
    other = sample_detectors(circuit, shots=50_000, seed=10)
    np.testing.assert_array_equal(one.detectors, two.detectors)
    assert (one.detectors != other.detectors).any()
    assert one.seed == 9


def test_detectors_tell_what_differs_from_a_shot_without_noise() -> None:
    text = "X 0\nX_ERROR(1) 1\nM 0 1\nCX rec[-2] 2\nM 2\nDETECTOR rec[-1]\nDETECTOR rec[-2]\nDETECTOR"
    assert sample_detectors(text, shots=3).unpacked()[0].tolist() == [[False, True, False]] * 3


def test_counts_are_there_beside_detectors_where_memory_is() -> None:
    circuit = read_stim("X 0\nM 0 1\nX_ERROR(0.5) 1\nM 1\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(70) rec[-3]")
    bare = run(circuit, shots=100, seed=5)
    assert (bare.simulation_method, bare.outcomes.shape, bare.memory) == ("stabilizer", (0, 1), None)
    told = run(circuit, shots=100, seed=5, memory=True)
    assert told.outcomes.tolist() == [[1], [5]]
    assert told.counts.sum() == 100
    assert told.memory is not None
    np.testing.assert_array_equal(told.memory[:, 0] >> 2, told.saved["detectors"][:, 0])
    np.testing.assert_array_equal(bare.saved["detectors"], told.saved["detectors"])
    assert told.saved["observables"].shape == (100, 9)
    assert not told.saved["observables"].any()


def test_values_that_are_stored_count() -> None:
    circuit = Circuit(2, 3)
    circuit.append("x", [0]).append("measure", [0], [], [0])
    circuit.append("store", store=Store(ClbitRef(1), Unary(UnaryOperator.LOGIC_NOT, ClbitRef(0))))
    circuit.append("store", store=Store(ClbitRef(2), Literal(True)), condition=ClbitRef(0))
    circuit.append("readout_error", [], [], [1], readout=ReadoutError(np.eye(2)[::-1]))
    lists = ((0, 1), (1,), (1, 1), (0, 2))
    circuit.append("save", save=Save("d", SaveKind.DETECTORS, detectors=lists))
    assert run(circuit, shots=2).saved["d"].tolist() == [[0b0011]] * 2


def saving(*before: tuple[str, list[int], list[int]], behind: bool = False) -> Circuit:
    """A circuit that saves a detector of bit 0, and measures into it again."""
    circuit = Circuit(1, 1)
    for name, qubits, clbits in before:
        circuit.append(name, qubits, [], clbits)
    circuit.append("save", save=Save("d", SaveKind.DETECTORS, detectors=((0,),)))
    return circuit.append("measure", [0], [], [0]) if behind else circuit


def test_what_has_no_detectors_is_refused_by_name() -> None:
    with pytest.raises(CircuitError, match="classical bit 0, which is written again behind it"):
        run(saving(("measure", [0], [0]), behind=True), method="stabilizer")
    with pytest.raises(CircuitError, match=r"no method can run.*stabilizer: t"):
        run(saving(("t", [0], [])))
    for method in ("statevector", "density_matrix", "matrix_product_state"):
        with pytest.raises(CircuitError, match=r"save 'd': detectors, which only.*stabilizer can"):
            run(saving(), method=method)
    circuit = saving(("measure", [0], [0]))
    circuit.append("h", [0], condition=ClbitRef(0))
    with pytest.raises(CircuitError, match="detectors where gates depend on outcomes"):
        run(circuit)
    for detectors, message in (((), "at least one"), (((1,),), "classical bit 1 is not one of the 1")):
        wrong = Circuit(1, 1).append("save", save=Save("d", SaveKind.DETECTORS, detectors=detectors))
        with pytest.raises(CircuitError, match=message):
            run(wrong)


def test_what_cannot_be_run_is_told() -> None:
    with pytest.raises(OptionError):
        sample_detectors("M 0", shots=0)
    control = RunControl()
    control.cancel()
    with pytest.raises(SimulationCancelled):
        sample_detectors("M 0", control=control)
