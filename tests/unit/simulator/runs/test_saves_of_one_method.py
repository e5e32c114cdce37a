"""What one method alone saves, by every method: of it right, of the others refused by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from basicaer.simulator import (
    Circuit,
    CircuitError,
    ForLoop,
    GivenState,
    MethodName,
    Save,
    SaveKind,
    required_bytes,
    run,
    unitary,
    validate,
)
from basicaer.simulator.reference import matrix_of

from tests.unit.simulator.runs.test_every_save import HAS_NOT, SAVES

METHODS: tuple[MethodName, ...] = get_args(MethodName)
# What one method alone has, and once: for no shot or outcome of its own.
OF_ONE: dict[SaveKind, MethodName | None] = {
    SaveKind.STABILIZER: "stabilizer",
    SaveKind.DETECTORS: "stabilizer",
    SaveKind.MATRIX_PRODUCT_STATE: "matrix_product_state",
    SaveKind.SUPEROPERATOR: "superop",
    # `unitary` has it.
    SaveKind.UNITARY: None,
}


def once(kind: SaveKind) -> Save:
    return Save("s", kind, detectors=((0,),) if kind is SaveKind.DETECTORS else ())


def plain(save: Save) -> Circuit:
    """A circuit that every method can run but for what it saves."""
    circuit = Circuit(3, 1, global_phase=0.3).append("h", [2]).append("cx", [2, 0]).append("s", [0])
    if save.kind is SaveKind.DETECTORS:
        circuit.append("measure", [0], [], [0])
    return circuit.append("save", save=save)


def test_every_kind_is_here() -> None:
    assert {save.kind for save in SAVES} | set(OF_ONE) == set(SaveKind)
    assert set(HAS_NOT) == set(METHODS)


@pytest.mark.parametrize("kind", OF_ONE)
@pytest.mark.parametrize("method", METHODS)
def test_what_one_method_has_by_every_method(method: MethodName, kind: SaveKind) -> None:
    circuit = plain(once(kind))
    if method != OF_ONE[kind]:
        words = "(measure, which|save 's')" if method == "superop" else "save 's'"
        with pytest.raises(CircuitError, match=f"the method {method} can't do this: {words}"):
            run(circuit, shots=3, method=method)
        return
    for name in (method, "automatic"):
        result = run(circuit, shots=3, seed=1, method=name)
        assert result.simulation_method == method
        assert (result.counts.tolist() == [3]) == (kind is not SaveKind.DETECTORS)
        _assert_is(circuit, kind, result.saved)


def _assert_is(circuit: Circuit, kind: SaveKind, saved: dict[str, npt.NDArray[Any]]) -> None:
    match kind:
        case SaveKind.MATRIX_PRODUCT_STATE:
            bonds, flat = saved["s.bonds"].tolist(), saved["s"]
            assert bonds == [1, 2, 2, 1]
            assert saved["s.weights"] == pytest.approx([0.5**0.5] * 4)
            given = GivenState.from_tensors(
                [flat[:4].reshape(1, 2, 2), flat[4:12].reshape(2, 2, 2), flat[12:].reshape(2, 2, 1)]
            )
            np.testing.assert_allclose(given.amplitudes(), matrix_of(_without(circuit))[:, 0], atol=1e-12)
        case SaveKind.SUPEROPERATOR:
            matrix = matrix_of(_without(circuit))
            np.testing.assert_allclose(saved["s"], np.kron(matrix.conj(), matrix), atol=1e-12)
        case SaveKind.STABILIZER:
            assert saved["s"].shape == (6, 7)
        case _:
            assert saved["s"].shape == (3, 1)


def _without(circuit: Circuit) -> Circuit:
    found = Circuit(3, global_phase=circuit.global_phase)
    for operation in circuit.operations:
        if operation.save is None:
            found.append(operation.name, {"h": [2], "cx": [2, 0], "s": [0]}[operation.name])
    return found


@pytest.mark.parametrize("way", ["per_shot", "conditional", "unnormalized"])
@pytest.mark.parametrize("kind", OF_ONE)
def test_what_is_there_once_has_no_other_ways(kind: SaveKind, way: str) -> None:
    changes: dict[str, Any] = {way: True}
    save = replace(once(kind), **changes)
    if kind is SaveKind.STABILIZER and way != "unnormalized":
        # The method itself refuses it.
        with pytest.raises(CircuitError, match=r"save 's': .* for each (shot|outcome)"):
            run(plain(save), method="stabilizer")
        return
    with pytest.raises(CircuitError, match="leave out"):
        validate(plain(save))


def test_matrices_on_the_way() -> None:
    circuit = Circuit(3, global_phase=0.4).append("h", [2]).append("s", [0])
    turn = circuit.block([("s", [0]), ("save", [], [], [], {"save": Save("loop", SaveKind.UNITARY)})])
    circuit.append("for_loop", for_loop=ForLoop(range(2), turn))
    before = Circuit(3, global_phase=0.4).append("h", [2]).append("sdg", [0])
    circuit.append("sx", [0]).append("save", save=Save("end", SaveKind.UNITARY))
    saved: dict[str, npt.NDArray[Any]] = {}
    whole = unitary(circuit, saved=saved)
    np.testing.assert_allclose(saved["loop"], matrix_of(before), atol=1e-12)
    np.testing.assert_array_equal(saved["end"], whole)
    assert required_bytes(circuit, method="unitary") > 3 * (16 << 6)
    for method in METHODS:
        words = r"save 'loop': (a )?unitary"
        with pytest.raises(CircuitError, match=words):
            run(circuit, method=method)
    with pytest.raises(CircuitError, match="save 'loop': a unitary matrix, which `unitary` has"):
        run(circuit)
    with pytest.raises(CircuitError, match="a matrix has no shots; leave out per_shot"):
        validate(Circuit(1).append("save", save=Save("u", SaveKind.UNITARY, per_shot=True)))
    with pytest.raises(CircuitError, match="save 'p' has no meaning for a matrix"):
        unitary(Circuit(1).append("save", [0], save=Save("p", SaveKind.PROBABILITIES)))
