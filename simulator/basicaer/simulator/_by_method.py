"""Runs circuits by each of the methods, with options that are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from basicaer.simulator._chains import run_chains
from basicaer.simulator._control import RunControl
from basicaer.simulator._methods import MethodName
from basicaer.simulator._outcomes import Counts, Words
from basicaer.simulator._programs import phase_of, run_program
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._valid import ValidCircuit
from basicaer.simulator.methods.density_matrix._maps import MapState
from basicaer.simulator.methods.density_matrix._method import DENSITY_MATRIX
from basicaer.simulator.methods.density_matrix._state import DensityState
from basicaer.simulator.methods.density_matrix._superop import SUPEROP
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions
from basicaer.simulator.methods.stabilizer import _method as stabilizer
from basicaer.simulator.methods.statevector._method import STATEVECTOR
from basicaer.simulator.methods.statevector._state import Amplitudes, ComplexDType, State, check_size


class Options(NamedTuple):
    """The checked options of a run."""

    shots: int
    sequence: np.random.SeedSequence
    control: RunControl
    dtype: ComplexDType
    initial: Amplitudes | None
    memory: bool
    statevector: bool
    threads: int | None
    chains: MatrixProductStateOptions | None
    most_bytes: int | None


class Found(NamedTuple):
    """What a method gives."""

    words: Words
    counts: Counts
    memory: Words | None
    saved: dict[str, npt.NDArray[Any]]
    is_random: bool
    state: Amplitudes | None = None
    cuts: Cuts | None = None


def by_states(ready: ValidCircuit, options: Options) -> Found:
    num_qubits, control = ready.circuit.num_qubits, options.control
    if options.statevector:
        check_size(num_qubits)
    program = ready.program(from_zero=options.initial is None, threads=options.threads)
    # A state that branches copy doesn't keep its room.
    room = num_qubits if options.statevector and not program.is_random else 0
    found = run_program(
        program,
        STATEVECTOR,
        lambda: start_state(program, options.initial, options.dtype, control, room),
        options.shots,
        options.sequence,
        control,
        state_bytes=STATEVECTOR.required_bytes(program.wires.count, options.dtype),
        memory=options.memory,
        keeps=options.statevector,
        threads=options.threads,
    )
    state = None
    if options.statevector and found.kept is not None:
        state = finished(program, widened(program, found.kept.state, control), control)
    return Found(found.words, found.counts, found.memory, found.saved, program.is_random, state)


def by_density_matrices(ready: ValidCircuit, options: Options) -> Found:
    program = ready.program(from_zero=options.initial is None, mixed=True, threads=options.threads)
    initial, dtype, control = options.initial, options.dtype, options.control
    count = program.wires.count

    def start() -> DensityState:
        return (
            DENSITY_MATRIX.zero(count, dtype)
            if initial is None
            else DensityState.of(initial.astype(np.complex128), dtype, control)
        )

    found = run_program(
        program,
        DENSITY_MATRIX,
        start,
        options.shots,
        options.sequence,
        control,
        state_bytes=DENSITY_MATRIX.required_bytes(count, dtype),
        memory=options.memory,
        threads=options.threads,
    )
    return Found(found.words, found.counts, found.memory, found.saved, program.is_random)


def by_maps(ready: ValidCircuit, options: Options) -> Found:
    # All qubits are held, as the map of all of them is wanted.
    program = ready.program(from_zero=False, mixed=True, threads=options.threads)
    count, dtype = program.wires.count, options.dtype
    found = run_program(
        program,
        SUPEROP,
        lambda: MapState.identity(count, dtype, options.control),
        options.shots,
        options.sequence,
        options.control,
        state_bytes=SUPEROP.required_bytes(count, dtype),
        memory=options.memory,
        threads=options.threads,
    )
    return Found(found.words, found.counts, found.memory, found.saved, program.is_random)


def by_stabilizers(ready: ValidCircuit, options: Options) -> Found:
    found = stabilizer.run(
        ready.circuit,
        options.shots,
        options.sequence,
        options.control,
        memory=options.memory,
        threads=options.threads,
    )
    parts_shots = stabilizer.program(ready.circuit).parts_shots
    return Found(found.words, found.counts, found.memory, dict(found.saved), parts_shots)


def by_chains(
    ready: ValidCircuit, options: Options, control: RunControl | None = None, seconds: float | None = None
) -> Found:
    found = run_chains(
        *(ready, options.shots, options.sequence, control or options.control),
        options=options.chains,
        memory=options.memory,
        most_bytes=options.most_bytes,
        most_seconds=seconds,
    )
    return Found(found.words, found.counts, found.memory, found.saved, found.is_random, cuts=found.cuts)


RUNS: dict[MethodName, Callable[[ValidCircuit, Options], Found]] = {
    "statevector": by_states,
    "density_matrix": by_density_matrices,
    "superop": by_maps,
    "stabilizer": by_stabilizers,
    "matrix_product_state": by_chains,
}


def start_state(
    program: StepProgram, amplitudes: Amplitudes | None, dtype: ComplexDType, control: RunControl, size: int
) -> State:
    """Return the initial state, with room for `size` qubits."""
    if amplitudes is None:
        return State.zero(program.wires.count, dtype, size)
    return State.of(amplitudes, dtype, control)


def finished(program: StepProgram, state: State, control: RunControl) -> Amplitudes:
    """Return the amplitudes of a final state, with the circuit's phase."""
    if program.global_phase:
        state.scale(phase_of(program), control)
    return state.to_array()


def widened(program: StepProgram, state: State, control: RunControl) -> State:
    """Return a final state of the wires, as one of all qubits."""
    wires = program.wires
    if not wires.is_whole:
        state.widen(wires.num_qubits, wires.qubits.tolist(), wires.tracked.final_ones, control)
    return state
