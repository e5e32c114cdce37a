"""Says where the memory goes that a job needs, and what fits, for the refusal of one that needs too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from basicaer import simulator as sim
from basicaer.service.errors import size_text
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.methods import request_for
from basicaer.service.execution.preparing.programs import Cost
from basicaer.service.execution.preparing.runs import ProgramRun

__all__ = ["advice"]

_CHAINS: Final = "matrix_product_state"
# A bound of bonds that is proposed.
_TRIED_BOND = 64
# What every simulation takes beside its state.
_BESIDE_BYTES = 32 << 20


def advice(
    runs: Sequence[ProgramRun],
    costs: Sequence[Cost],
    backend: Backend,
    settings: Settings,
    required: int,
    available: int,
) -> str:
    """Which qubits make `required` bytes necessary, how many fit into `available`, and what to do."""
    index = max(range(len(runs)), key=lambda number: costs[number].need)
    if costs[index].need >= required // 2 and costs[index].method != "statevector":
        told = f"programs[{index}]" if len(runs) > 1 else "The program"
        return f"{told} needs {size_text(costs[index].need)} by the method {costs[index].method}." + (
            _other_methods(runs[index], costs[index], settings, available) or " Use fewer qubits or shots."
        )
    found = _advice_for_states(runs, backend, settings, required, available)
    if backend.task is Task.SHOTS and costs[index].need >= required // 2:
        found += _other_methods(runs[index], costs[index], settings, available)
    return found


def _other_methods(run: ProgramRun, its: Cost, settings: Settings, available: int) -> str:
    """Return which other methods fit, as sentences with a space before them; nothing where there is none."""
    request = request_for(run, run.program.circuit, settings)
    needs = sim.method_bytes(request)
    fitting = {name: size for name, size in needs.items() if size <= available and name != its.method}
    if fitting:
        best = min(fitting, key=lambda name: fitting[name])
        why = ""
        if best == _CHAINS:
            why = f"The circuit's bonds are at most {round(2 ** sim.bond_bound(request)):,}: "
        return f" {why}method={best} needs {size_text(fitting[best])}."
    if _CHAINS not in needs:
        return ""
    cut = replace(request, matrix_product_state=sim.MatrixProductStateOptions(_TRIED_BOND))
    size = sim.method_bytes(cut)[_CHAINS]
    if size > available:
        return ""
    return (
        f" Approximately, method={_CHAINS} with max_bond_dimension={_TRIED_BOND} needs {size_text(size)}, and"
        " the result tells how much was left out."
    )


def _advice_for_states(
    runs: Sequence[ProgramRun], backend: Backend, settings: Settings, required: int, available: int
) -> str:
    """Return the same for state vectors and matrices."""
    index, whole, count = max(
        (found for number, run in enumerate(runs) for found in _states(run, number, backend, settings)),
        key=lambda found: found[2],
    )
    item = settings.dtype.itemsize
    if item << count < required // 2:
        return "Use fewer shots, saved arrays, rows of inputs or programs in one job."
    circuit = runs[index].program.circuit.circuit
    program = f"programs[{index}]" if len(runs) > 1 else "the program"
    times = 2 if backend.task is Task.UNITARY else 1
    fit = max((available - _BESIDE_BYTES) // item, 1).bit_length() - 1
    larger = f"{fit // times} qubits fit"
    if item == 16:
        larger += f", and {(fit + 1) // times} in single precision"
    if whole:
        what = "unitary matrix" if times == 2 else "state vector"
        active = runs[index].program.circuit.wires(from_zero=settings.initial is None, as_matrix=times == 2)
        held = f", though gates act on {active.num_active} alone" if not active.is_whole else ""
        return (
            f"It is for the {what} of all {circuit.num_qubits:,} qubits of {program}{held}; {larger}."
            " Ask for counts, probabilities or expectation values with qasm_simulator, which holds only the"
            " qubits that gates act on."
        )
    return (
        f"It is for {count:,} of the {circuit.num_qubits:,} qubits of {program}, those that gates act on;"
        f" {larger}. Use fewer."
    )


def _states(
    run: ProgramRun, number: int, backend: Backend, settings: Settings
) -> list[tuple[int, bool, int]]:
    """Return the states that a program needs: (its number, whether all qubits are in it, the state's
    qubits).
    """
    circuit = run.program.circuit.circuit
    if backend.task is Task.UNITARY:
        return [(number, True, 2 * circuit.num_qubits)]
    wires = run.program.circuit.wires(from_zero=settings.initial is None)
    saves = any(
        operation.save is not None and operation.save.kind is sim.SaveKind.STATEVECTOR
        for operation in circuit.operations
    )
    found = [(number, False, wires.count)]
    if not wires.is_whole and (saves or backend.task is Task.STATEVECTOR):
        found.append((number, True, circuit.num_qubits))
    return found
