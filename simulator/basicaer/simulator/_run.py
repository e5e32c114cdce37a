"""The functions that run circuits: `statevector`, `unitary` and `run`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._abilities import RunRequest
from basicaer.simulator._by_method import RUNS, Options, by_chains, finished, start_state, widened
from basicaer.simulator._chains import attempted
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import CircuitError
from basicaer.simulator._methods import MethodName, choose
from basicaer.simulator._options import (
    check_shots,
    check_threads,
    complex_dtype,
    initial_matrix,
    initial_state,
    seed_sequence,
)
from basicaer.simulator._outcomes import Counts, Words
from basicaer.simulator._programs import phase_of
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._given_states import PURE, GivenKind
from basicaer.simulator.circuit._operations import SaveKind
from basicaer.simulator.compiler._program import StepProgram
from basicaer.simulator.compiler._valid import ValidCircuit, validated
from basicaer.simulator.distributed import Transport, run_spread
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions
from basicaer.simulator.methods.statevector._method import STATEVECTOR
from basicaer.simulator.methods.statevector._quick import quick_statevector
from basicaer.simulator.methods.statevector._state import (
    Amplitudes,
    State,
    beside_identity,
    check_size,
)
from basicaer.simulator.noise import NoiseModel
from basicaer.simulator.running._saving import Saved
from basicaer.simulator.running._trajectories import ShotRunner

Sampling: TypeAlias = Literal["sampled", "branched"]


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """What `run` gives.

    `outcomes` (uint64, shape (k, words)) are the distinct outcomes in numeric order, the least significant
    word first: bit c of an outcome is classical bit c. `counts` (int64, shape (k,)) says how often each was
    seen. Where the circuit saves detectors, both are empty without `memory`, as nearly all would be distinct.
    `memory` (uint64, shape (shots, words)) has the outcome of each shot. `statevector` (shape
    (2^num_qubits,)) is the state of the last shot after its last instruction, collapsed by its measurements.
    `seed` is the seed that was used, None for a SeedSequence that has several numbers.

    `method` says how the shots were made: "sampled" from one final state, or "branched" at mid-circuit
    outcomes and at errors. `simulation_method` is the method that ran, and `reason` why. `cuts` says what
    matrix product states came to, if these ran.

    `saved` has the arrays that the circuit saves, by their labels: a state vector of shape (2^num_qubits,),
    or m of its amplitudes, of shape (m,), which are those of the last shot if that reaches them; the density
    matrix of k qubits, of shape (2^k, 2^k); and as float64 the probabilities of k qubits, of shape (2^k,),
    those of m basis states, the expectation values of m observables, of shape (m,), and one with its
    variance, of shape (2,). These are means over all times that shots reach the instruction, or sums where
    they are `unnormalized`; what none reaches is left out. Of d detectors it has each shot's bits, as uint8
    of shape (shots, ⌈d / 8⌉): bit k of byte j is that of detector 8 j + k. A stabilizer state of n qubits,
    the last shot's, has the tableau of Qiskit's Clifford, as uint8 of shape (2 n, 2 n + 1): a row for each
    destabilizer and then for each stabilizer, with the bits of its X, those of its Z, and that of its sign.

    What is saved `per_shot` has an axis before these, with an element for each time that a shot comes by, in
    the order of `memory`. What is `conditional` has an axis with an element for each value that the
    classical bits had there, in numeric order, or for each time; the label with ".outcomes" behind it has
    these values (uint64, shape (k, words)). Of several shots with the same, a state is that of any one.
    """

    outcomes: Words
    counts: Counts
    memory: Words | None
    statevector: Amplitudes | None
    method: Sampling
    seed: int | None
    saved: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    simulation_method: MethodName = "statevector"
    reason: str = ""
    cuts: Cuts | None = None


def statevector(
    circuit: Circuit | ValidCircuit,
    *,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial: npt.ArrayLike | None = None,
    control: RunControl | None = None,
) -> Amplitudes:
    """Return the amplitudes after a circuit without random outcomes, of shape (2^num_qubits,) and type
    `dtype`.

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
    ready = validated(circuit)
    num_qubits = ready.circuit.num_qubits
    amplitudes = initial_state("initial", initial, num_qubits)
    _check_given(ready.circuit, PURE, "a state vector is set by pure states")
    program = ready.program(from_zero=amplitudes is None, threads=threads)
    at = program.random_at if program.random_at is not None else program.waits_at
    if at is not None:
        message = "a state vector without shots has no random outcomes; call run(..., statevector=True)"
        raise CircuitError(message, ("body", at))
    running = control or RunControl()
    return _evolve(
        program, lambda: start_state(program, amplitudes, kind, running, num_qubits), threads, running
    )


def unitary(
    circuit: Circuit | ValidCircuit,
    *,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial: npt.ArrayLike | None = None,
    saved: dict[str, npt.NDArray[Any]] | None = None,
    control: RunControl | None = None,
) -> Amplitudes:
    """Return the matrix of a circuit of gates, of shape (2^num_qubits, 2^num_qubits) and type `dtype`.

    With `initial`, a unitary matrix, the product of the circuit's matrix and `initial`. Barriers and delays
    are ignored, and classical control is allowed as far as nothing in it is random. The matrices that the
    circuit saves are put into `saved`, by their labels.

    Raises as `statevector` does; initialize and every reset are refused too.
    """
    ready = validated(circuit)
    num_qubits = ready.circuit.num_qubits
    kind = complex_dtype(dtype)
    matrix = initial_matrix(initial, num_qubits)
    check_threads(threads)
    program = ready.program(from_zero=matrix is None, as_matrix=True, threads=threads)
    at = program.random_at if program.random_at is not None else program.waits_at
    if at is not None:
        raise CircuitError("measure, reset and initialize have no matrix; remove them", ("body", at))
    _check_given(ready.circuit, frozenset({GivenKind.UNITARY}), "a matrix is set by a unitary matrix")
    for save in program.saves:
        if save.kind is not SaveKind.UNITARY:
            raise CircuitError(f"save {save.label!r} has no meaning for a matrix; remove it")

    running = control or RunControl()
    wires = program.wires
    check_size(2 * num_qubits)

    def start() -> State:
        return State.identity(wires.count, kind) if matrix is None else State.of(matrix, kind, running)

    size = 1 << wires.count
    keeping = Saved(STATEVECTOR, phase_of(program), program, np.random.default_rng(0), threads)
    found = _evolve(program, start, threads, running, as_matrix=True, saved=keeping).reshape(size, size)
    if saved is not None:
        saved.update(keeping.arrays(None))
    if wires.is_whole:
        return found
    return beside_identity(found, num_qubits, wires.qubits.tolist(), running)


def run(
    circuit: Circuit | ValidCircuit,
    *,
    shots: int = 1024,
    method: MethodName | Literal["automatic"] = "automatic",
    max_memory_bytes: int | None = None,
    seed: int | np.random.SeedSequence | None = None,
    memory: bool = False,
    dtype: npt.DTypeLike = np.complex128,
    threads: int | None = None,
    initial_statevector: npt.ArrayLike | None = None,
    statevector: bool = False,
    noise_model: NoiseModel | None = None,
    matrix_product_state: MatrixProductStateOptions | None = None,
    spread: Transport | None = None,
    control: RunControl | None = None,
) -> RunResult:
    """Run a circuit `shots` times from the state 0, or from `initial_statevector` (2^num_qubits amplitudes).

    `method` says how the state is held. "automatic" takes the fastest that can run the circuit, and needs no
    more than `max_memory_bytes`, by default the machine's memory; the result tells which that was.
    `noise_model` adds its channels and readout errors to those of the circuit. `matrix_product_state` says
    how far matrix product states may be cut. One that outgrows `max_memory_bytes` fails.

    With `spread`, this process is one rank of several that have a part of one state vector each: all call
    this with equal arguments, an equal seed among them, and get equal results. It is closed if the run fails.

    The same seed, circuit and options give the same outcomes with the same version of this package and of
    numpy, whatever the threads; by one method, neither `memory` nor `statevector` changes the counts. The
    seed `s` is that of the batch's first program, `program_seed(s, 0)`; None draws one at random.

    Raises `CircuitError`, `OptionError`, `SimulationCancelled` and `SimulationFailed`, and with `spread`
    `distributed.PeerLost`.
    """
    ready = validated(circuit) if noise_model is None else noise_model.valid(circuit)
    num_qubits = ready.circuit.num_qubits
    shots = check_shots(shots)
    kind = complex_dtype(dtype)
    amplitudes = initial_state("initial_statevector", initial_statevector, num_qubits)
    check_threads(threads)
    sequence = seed_sequence(seed)
    running = control or RunControl()
    asked = RunRequest(
        *(ready, shots, kind, memory, statevector, amplitudes is not None, matrix_product_state, threads)
    )
    if spread is None:
        name, reason, fits, seconds = choose(asked, method, max_memory_bytes)
    else:
        name, reason, fits, seconds = "statevector", f"spread over {spread.size} nodes", True, None
    if not fits and ready.is_noisy:
        raise CircuitError(reason)
    options = Options(
        *(shots, sequence, running, kind, amplitudes, memory, statevector, threads),
        *(matrix_product_state, max_memory_bytes),
    )
    tried = None
    if seconds is not None:
        tried = attempted(lambda own: by_chains(ready, options, own, seconds), running, shots)
    if tried is not None:
        name, reason = "matrix_product_state", f"its bonds stayed small; without it, {name}: {reason}"
    if spread is not None:
        tried = run_spread(ready, asked, options, spread)
    found = tried or RUNS[name](ready, options)
    running.finish()
    entropy = sequence.entropy
    return RunResult(
        outcomes=found.words,
        counts=found.counts,
        memory=found.memory,
        statevector=found.state,
        method="branched" if found.is_random else "sampled",
        seed=entropy if isinstance(entropy, int) else None,
        saved=found.saved,
        simulation_method=name,
        reason=reason,
        cuts=found.cuts,
    )


def _check_given(circuit: Circuit, possible: frozenset[GivenKind], rule: str) -> None:
    for number, operation in enumerate(circuit.operations):
        if operation.set_state is not None and operation.set_state.kind not in possible:
            raise CircuitError(f"{rule}, not a {operation.set_state.kind.value}", ("operations", number))


def _evolve(
    program: StepProgram,
    start: Callable[[], State],
    threads: int | None,
    control: RunControl,
    *,
    as_matrix: bool = False,
    saved: Saved[State] | None = None,
) -> Amplitudes:
    control.start(work=_work(program, program.wires.count * (2 if as_matrix else 1)), shots=1)
    state = ShotRunner(program, STATEVECTOR, start, control, threads=threads, saved=saved).evolve()
    if not as_matrix:
        widened(program, state, control)
    result = finished(program, state, control)
    control.finish()
    return result


def _work(program: StepProgram, state_qubits: int) -> float:
    """Return the work of the program's segments, as their plans report it."""
    return STATEVECTOR.work(state_qubits, program.gates)
