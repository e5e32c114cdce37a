"""Adjoint differentiation: from the final state back to the first gate, with the observable's state beside
it.

With ψ the state behind a gate U(p), and λ that which the observable, and the inverses of all gates behind U,
make of the final state, the derivative of the expectation value by p is 2 Re <λ| dU/dp U† |ψ> (Jones and
Gacon 2020, arXiv:2009.02823). Here many of these are read at one place: see `_slices.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import CircuitError, SimulationFailed
from basicaer.simulator.circuit._expressions import ClassicalKind, Expression
from basicaer.simulator.circuit._operations import SaveKind
from basicaer.simulator.classical._scope import Path, Scope
from basicaer.simulator.compiler._binding import Template
from basicaer.simulator.compiler._steps import DynamicGateStep, GateStep, PrepareStep, SaveStep, StoreStep
from basicaer.simulator.gradients._chain_rule import Differentiation, refuse_rough, slopes_of
from basicaer.simulator.gradients._overlaps import applied, single_transitions, site_transition
from basicaer.simulator.gradients._parts import Part
from basicaer.simulator.methods.statevector._engine import Plan
from basicaer.simulator.methods.statevector._observables import PauliSums
from basicaer.simulator.methods.statevector._state import State
from basicaer.simulator.methods.statevector.engine.machine._helpers import default_threads

__all__ = ["Gradients"]

_Floats = npt.NDArray[np.float64]
_SMOOTH = (ClassicalKind.FLOAT, ClassicalKind.ANGLE)


class Gradients:
    """Expectation values that a template saves, and how they change with its inputs. Threads may share it.

    `from_zero` says that all qubits start in 0, and not in a state that `of` is given.

    Raises:
        CircuitError: The template isn't gates alone before one save of expectation values, or a gate or an
            expression has no derivative.
    """

    def __init__(self, template: Template, *, from_zero: bool = True) -> None:
        self._template = template
        self._from_zero = from_zero
        program = template.program(from_zero=from_zero)
        self._wires = program.wires.count
        self._prepares: list[PrepareStep] = []
        save: SaveStep | None = None
        varies = self._varies()
        self._parts: list[Part] = []
        for step in program.steps:
            match step:
                case PrepareStep() if not self._parts and save is None:
                    self._prepares.append(step)
                case GateStep() if save is None:
                    self._parts.append(Part(step.segment, varies))
                case StoreStep():
                    # Of classical values, which no gate reads: else it would be another step.
                    pass
                case SaveStep() if save is None and step.save.kind is SaveKind.EXPECTATION_VALUES:
                    save = step
                case DynamicGateStep():
                    raise CircuitError(
                        "a gradient needs gates whose parameters are functions of inputs, and here one is "
                        "computed while the circuit runs; make that parameter an input"
                    )
                case _:
                    raise _not_gates_alone()
        if save is None or program.random_at is not None or program.waits_at is not None or program.told:
            raise _not_gates_alone()
        self._observables = [
            PauliSums([observable], save.qubits, self._wires) for observable in save.save.observables
        ]
        self._gates = program.gates
        self._linear = np.zeros((template.num_parameters, len(template.inputs)))
        targets, sources, factors = template.terms
        np.add.at(self._linear, (targets, sources), factors)
        self._smooth = frozenset(
            number for number, variable in template.input_variables if variable.type.kind in _SMOOTH
        )
        circuit = template.circuit
        self._scope = Scope(circuit.num_clbits, circuit.classical_registers, circuit.variables)
        self._curved: list[tuple[npt.NDArray[np.int64], Expression, Path]] = []
        for places, expression, path in template.expressions:
            refuse_rough(expression, path, self._smooth, self._scope.variables_of)
            slopes = slopes_of(expression)
            if slopes is None:
                self._curved.append((places, expression, path))
                continue
            for variable, slope in slopes.items():
                if variable in self._smooth:
                    self._linear[places, template.place_of(variable)] += slope

    def __reduce__(self) -> tuple[Any, ...]:
        """By its template: expressions have functions, which no other process has."""
        return _made, (self._template, self._from_zero)

    @property
    def state_bytes(self) -> int:
        """What the states of a call of `of` take together."""
        return 3 * 16 << self._wires

    def _varies(self) -> npt.NDArray[np.bool_]:
        found = np.zeros(self._template.num_parameters, dtype=np.bool_)
        found[self._template.terms[0]] = True
        for places, _, _ in self._template.expressions:
            found[places] = True
        return found

    def of(
        self,
        row: _Floats,
        integers: Mapping[str, int],
        *,
        initial: npt.NDArray[np.complexfloating] | None = None,
        threads: int | None = None,
        control: RunControl | None = None,
    ) -> tuple[_Floats, _Floats]:
        """Return the values, of shape (observables,), and derivatives, of shape (observables, inputs).

        `row` and `integers` are those of `Template.bind`; derivatives by inputs that are no floats or angles
        are 0. All is done in double precision.

        Raises:
            SimulationCancelled: `control` was cancelled.
            SimulationFailed: A parameter or a derivative isn't finite.
        """
        running = control or RunControl()
        values = self._template.parameters(row, integers)
        observables = len(self._observables)
        running.start(work=self._gates * 2.0**self._wires * (1 + 2 * observables), shots=1)
        final = self._evolved(values, initial, threads, running)
        workers = threads or default_threads()
        found = np.zeros(observables)
        by_parameter = np.zeros((observables, len(values)))
        plans = [
            [part.backwards(number, values, threads) for number in range(len(part.slices))]
            for part in self._parts
        ]
        for number, sums in enumerate(self._observables):
            both = State(self._wires + 1, np.empty(2 * len(final), dtype=np.complex128))
            right, left = _halves(both)
            right[:] = final
            left[:] = applied(sums, final, workers, running)
            found[number] = np.vdot(right, left).real
            for part, undo in zip(reversed(self._parts), reversed(plans), strict=True):
                self._backwards(part, undo, both, values, workers, running, by_parameter[number])
        running.finish()
        return found, by_parameter @ self._rates(row, integers)

    def _evolved(
        self,
        values: _Floats,
        initial: npt.NDArray[np.complexfloating] | None,
        threads: int | None,
        control: RunControl,
    ) -> npt.NDArray[np.complex128]:
        kind = np.dtype(np.complex128)
        state = State.zero(self._wires, kind) if initial is None else State.of(initial, kind, control)
        for step in self._prepares:
            for qubits, amplitudes in step.groups:
                state.prepare(qubits, amplitudes, control)
        for part in self._parts:
            part.forwards(values, threads).apply(state, control)
        return np.ascontiguousarray(state.amplitudes, dtype=np.complex128)

    def _backwards(
        self,
        part: Part,
        undo: Sequence[Plan],
        both: State,
        values: _Floats,
        threads: int,
        control: RunControl,
        out: _Floats,
    ) -> None:
        """Take two states to where a part begins, and add its derivatives to `out`."""
        singles: list[npt.NDArray[np.complex128]] = []
        sites: list[npt.NDArray[np.complex128]] = []
        for number in range(len(part.slices) - 1, -1, -1):
            states = _halves(both)
            cut = part.slices[number]
            if cut.chains:
                singles.append(single_transitions(*states, tuple(cut.chains), threads, control))
            sites += [site_transition(*states, site, threads, control) for site in reversed(cut.sites)]
            if number or part is not self._parts[0]:
                undo[number].apply(both, control)
        part.add(values, singles[::-1], sites[::-1], out)

    def _rates(self, row: _Floats, integers: Mapping[str, int]) -> _Floats:
        """Return how the parameters change with the inputs, of shape (parameters, inputs)."""
        if not self._curved:
            return self._linear
        found = self._linear.copy()
        memory = self._template.variables(row, integers)
        for places, expression, path in self._curved:

            def evaluate(part: Expression, path: Path = path) -> float:
                return self._scope.parameter(part, path)(memory)

            try:
                dual = Differentiation(self._smooth, self._scope.variables_of, evaluate).dual(expression)
            except (ArithmeticError, ValueError) as error:
                raise SimulationFailed(f"a gate's parameter has no derivative: {error}") from error
            for variable, partial in dual.partials.items():
                if not math.isfinite(partial):
                    raise SimulationFailed(f"a derivative of a gate's parameter became {partial}")
                found[places, self._template.place_of(variable)] += partial
        return found


def _made(template: Template, from_zero: bool) -> Gradients:
    return Gradients(template, from_zero=from_zero)


def _halves(both: State) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Return the two states in one, of which the last qubit tells which is which."""
    amplitudes = both.amplitudes.astype(np.complex128, copy=False)
    half = len(amplitudes) // 2
    return amplitudes[:half], amplitudes[half:]


def _not_gates_alone() -> CircuitError:
    return CircuitError(
        "a gradient needs a circuit of gates alone, whose parameters inputs give: without measurements, "
        "resets, noise and control flow"
    )
