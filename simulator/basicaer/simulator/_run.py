"""The functions that run circuits: `statevector`, `unitary` and `run`."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._circuit import Circuit
from basicaer.simulator._compiled import CompiledCircuit, compiled
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._operations import SaveKind
from basicaer.simulator._options import (
    check_shots,
    check_threads,
    complex_dtype,
    generator,
    initial_matrix,
    initial_state,
    seed_sequence,
)
from basicaer.simulator._program import Program
from basicaer.simulator._quick import quick_statevector
from basicaer.simulator._sampling import Counts, Words
from basicaer.simulator._saving import Saved
from basicaer.simulator._state import Amplitudes, ComplexDType, State
from basicaer.simulator._trajectories import Executor, waiting_states

Method: TypeAlias = Literal["sampled", "branched"]


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """What `run` gives.

    `outcomes` (uint64, shape (k, words)) are the distinct outcomes in numeric order, the least significant
    word first: bit c of an outcome is classical bit c. `counts` (int64, shape (k,)) says how often each was
    seen. `memory` (uint64, shape (shots, words)) has the outcome of each shot. `statevector` (shape
    (2^num_qubits,)) is the state of the last shot after its last instruction, collapsed by its measurements.
    `method` says how the shots were made: "sampled" from one final state, or "branched" at mid-circuit
    outcomes. `seed` is the seed that was used, None for a SeedSequence that has several numbers.

    `saved` has the arrays that the circuit saves, by their labels: a state vector of shape (2^num_qubits,),
    which is that of the last shot if that reaches it, and as float64 the probabilities of k qubits, of shape
    (2^k,), and the expectation values of m observables, of shape (m,). These are means over all times that
    shots reach the instruction; what none reaches is left out.
    """

    outcomes: Words
    counts: Counts
    memory: Words | None
    statevector: Amplitudes | None
    method: Method
    seed: int | None
    saved: dict[str, npt.NDArray[Any]] = field(default_factory=dict)


def statevector(
    circuit: Circuit | CompiledCircuit,
    *,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial: npt.ArrayLike | None = None,
    control: RunControl | None = None,
) -> Amplitudes:
    """The amplitudes after a circuit without random outcomes, of shape (2^num_qubits,) and type `dtype`.

    `dtype` is complex128 or complex64; `initial` has 2^num_qubits amplitudes of norm 1 and is not changed.

    Raises `CircuitError` when the circuit is not valid, measures, or resets a qubit that was used;
    `OptionError`; `SimulationCancelled`; `SimulationFailed`.
    """
    kind = complex_dtype(dtype)
    check_threads(threads)
    if initial is None and control is None and isinstance(circuit, Circuit) and not circuit.variables:
        state = quick_statevector(circuit, kind.itemsize == 8)
        if state is not None:
            return state
    ready = compiled(circuit)
    num_qubits = ready.circuit.num_qubits
    amplitudes = initial_state("initial", initial, num_qubits)
    program = ready.program(from_zero=amplitudes is None, threads=threads)
    at = program.random_at if program.random_at is not None else program.waits_at
    if at is not None:
        message = "a state vector without shots has no random outcomes; call run(..., statevector=True)"
        raise CircuitError(message, ("body", at))
    running = control or RunControl()
    return _evolve(program, lambda: _start(program, amplitudes, kind, running), num_qubits, threads, running)


def unitary(
    circuit: Circuit | CompiledCircuit,
    *,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial: npt.ArrayLike | None = None,
    control: RunControl | None = None,
) -> Amplitudes:
    """The matrix of a circuit of gates, of shape (2^num_qubits, 2^num_qubits) and type `dtype`.

    With `initial`, a unitary matrix, the product of the circuit's matrix and `initial`. Barriers and delays
    are ignored, and classical control is allowed as far as nothing in it is random.

    Raises as `statevector` does; initialize and every reset are refused too.
    """
    ready = compiled(circuit)
    num_qubits = ready.circuit.num_qubits
    kind = complex_dtype(dtype)
    matrix = initial_matrix(initial, num_qubits)
    check_threads(threads)
    program = ready.program(from_zero=False, as_matrix=True, threads=threads)
    at = program.random_at if program.random_at is not None else program.waits_at
    if at is not None:
        raise CircuitError("measure, reset and initialize have no matrix; remove them", ("body", at))
    if program.saves:
        raise CircuitError(f"save {program.saves[0].label!r} has no meaning for a matrix; remove it")

    running = control or RunControl()

    def start() -> State:
        return State.identity(num_qubits, kind) if matrix is None else State.of(matrix, kind, running)

    size = 1 << num_qubits
    return _evolve(program, start, 2 * num_qubits, threads, running).reshape(size, size)


def run(
    circuit: Circuit | CompiledCircuit,
    *,
    shots: int = 1024,
    seed: int | np.random.SeedSequence | None = None,
    memory: bool = False,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial_statevector: npt.ArrayLike | None = None,
    statevector: bool = False,
    control: RunControl | None = None,
) -> RunResult:
    """Run a circuit `shots` times from the state 0, or from `initial_statevector` (2^num_qubits amplitudes).

    The same seed, circuit and options give the same outcomes with the same version of this package and of
    numpy, whatever the threads; neither `memory` nor `statevector` changes the counts. The seed `s` is that
    of the batch's first program, `program_seed(s, 0)`; None draws one at random.

    Raises `CircuitError`, `OptionError`, `SimulationCancelled` and `SimulationFailed`.
    """
    ready = compiled(circuit)
    num_qubits = ready.circuit.num_qubits
    shots = check_shots(shots)
    kind = complex_dtype(dtype)
    amplitudes = initial_state("initial_statevector", initial_statevector, num_qubits)
    check_threads(threads)
    sequence = seed_sequence(seed)
    running = control or RunControl()
    program = ready.program(from_zero=amplitudes is None, threads=threads)
    running.start(work=0.0 if program.is_random else _work(program, num_qubits), shots=shots)
    saved = Saved(_phase(program)) if program.saves else None
    # State vectors that are saved belong to one shot, even where nobody asks for its final state.
    keeps = statevector or any(save.kind is SaveKind.STATEVECTOR for save in program.saves)
    # Three streams, so that neither the memory's order nor the kept state changes the counts.
    executor = Executor(
        program,
        lambda: _start(program, amplitudes, kind, running),
        running,
        threads=threads,
        generator=generator(sequence, 0),
        keeper=generator(sequence, 2) if keeps else None,
        max_waiting=waiting_states(kind.itemsize << num_qubits, shots),
        saved=saved,
    )
    tally, kept = executor.run(shots)
    words, counts = tally.totals()
    rows = np.repeat(words, counts, axis=0)[generator(sequence, 1).permutation(shots)] if memory else None
    state: Amplitudes | None = None
    if kept is not None:
        if rows is not None:
            last = int(np.flatnonzero((rows == kept.words).all(axis=1))[0])
            rows[[last, -1]] = rows[[-1, last]]
        if statevector:
            state = _finished(program, kept.state, running)
    running.finish()
    entropy = sequence.entropy
    return RunResult(
        outcomes=words,
        counts=counts,
        memory=rows,
        statevector=state,
        method="branched" if program.is_random else "sampled",
        seed=entropy if isinstance(entropy, int) else None,
        saved={} if saved is None else saved.arrays(),
    )


def chop(amplitudes: Amplitudes, threshold: float) -> None:
    """Set the real and imaginary parts of `amplitudes` whose magnitude is below `threshold` to 0, in place.

    `amplitudes` is a contiguous array of any shape. A threshold of 0 keeps everything.
    """
    parts = amplitudes.reshape(-1).view(np.float64 if amplitudes.dtype == np.complex128 else np.float32)
    if threshold > 0.0:
        step = 1 << 18
        for start in range(0, parts.size, step):
            block = parts[start : start + step]
            block[np.abs(block) < threshold] = 0.0


def _evolve(
    program: Program, start: Callable[[], State], state_qubits: int, threads: int | None, control: RunControl
) -> Amplitudes:
    control.start(work=_work(program, state_qubits), shots=1)
    state = Executor(program, start, control, threads=threads).evolve()
    result = _finished(program, state, control)
    control.finish()
    return result


def _start(
    program: Program, amplitudes: Amplitudes | None, dtype: ComplexDType, control: RunControl
) -> State:
    if amplitudes is None:
        return State.zero(program.num_qubits, dtype)
    return State.of(amplitudes, dtype, control)


def _finished(program: Program, state: State, control: RunControl) -> Amplitudes:
    """The amplitudes of a final state, with the circuit's phase."""
    if program.global_phase:
        state.scale(_phase(program), control)
    return state.to_array()


def _phase(program: Program) -> complex:
    """The circuit's phase as a factor."""
    return cmath.exp(1j * program.global_phase) if program.global_phase else 1.0


def _work(program: Program, state_qubits: int) -> float:
    """The work of the program's segments, as `Segment.work` counts it."""
    return program.gates * 2.0**state_qubits
