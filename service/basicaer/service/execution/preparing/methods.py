"""Which method runs a program, and what it needs: looked at when a job is submitted."""

from __future__ import annotations

from basicaer import simulator as sim
from basicaer.service.errors import ServiceError, shorten
from basicaer.service.execution.backends import Backend, Task
from basicaer.service.execution.options import Settings
from basicaer.service.execution.preparing.runs import ProgramRun
from basicaer.service.printable import printable
from basicaer.v1 import error_reason_pb2

__all__ = ["AUTOMATIC", "choose", "looks_at_rows", "request_for"]

AUTOMATIC = "automatic"

_FIELD = "options.method"
# Circuits with their values are looked at one by one, if there are no more.
_FEW_ROWS = 32
# Of a state vector that is as small, nothing else is looked at.
_SMALL_QUBITS = 20
# A reason comes with each entry of a result.
_LONGEST_REASON = 400


def choose(
    run: ProgramRun, index: int, backend: Backend, settings: Settings, max_memory_bytes: int
) -> sim.MethodChoice:
    """Return the method for program `index` of a job, where one may need so much memory.

    A matrix product state that was asked for is let run in half of that where it may need more: its bonds are
    only known while it runs.

    Raises:
        ServiceError: OPTION_INVALID where the method that was asked for can't run it, PROGRAM_INVALID where
            none can.
    """
    if run.program.gradients is not None:
        return _of_gradients(run.program.gradients, index, settings)
    if backend.task is not Task.SHOTS:
        needed = sim.required_bytes(
            run.program.circuit,
            method="unitary" if backend.task is Task.UNITARY else "run",
            dtype=settings.dtype,
            shots=run.shots,
            memory=settings.memory and run.estimation is None,
            statevector=backend.task is Task.STATEVECTOR and run.estimation is None,
            initial=settings.initial is not None,
        )
        return sim.MethodChoice("statevector", f"{backend.name} has no other", needed, None, True)
    try:
        choice = _by_rows(run, settings, max_memory_bytes)
        if choice is None:
            request = request_for(run, run.program.circuit, settings)
            choice = sim.choose_method(request, settings.method, max_memory_bytes)
    except sim.CircuitError as error:
        raise _refusal(error.message, index, settings) from None
    needed = choice.required_bytes
    if choice.method == "matrix_product_state" and needed > max_memory_bytes:
        needed = max_memory_bytes // 2
    reason = shorten(printable(choice.reason), _LONGEST_REASON)
    return sim.MethodChoice(choice.method, reason, needed, choice.seconds, choice.fits)


def _of_gradients(gradients: sim.Gradients, index: int, settings: Settings) -> sim.MethodChoice:
    if settings.method not in (AUTOMATIC, "statevector"):
        message = f"the method {settings.method} has no derivatives; leave it out, or use statevector"
        raise _refusal(message, index, settings)
    return sim.MethodChoice("statevector", "derivatives are read there", gradients.state_bytes, None, True)


def request_for(
    run: ProgramRun, circuit: sim.ValidCircuit | sim.Template, settings: Settings
) -> sim.RunRequest:
    """Return what the simulator is asked for."""
    return sim.RunRequest(
        circuit,
        run.shots,
        settings.dtype,
        memory=settings.memory and run.estimation is None,
        initial=settings.initial is not None,
        matrix_product_state=settings.matrix_product_state,
        threads=settings.threads,
    )


def looks_at_rows(run: ProgramRun, settings: Settings) -> bool:
    """Whether the method depends on the values of a program's inputs."""
    circuit = run.program.circuit
    if not isinstance(circuit, sim.Template):
        return False
    if settings.method != AUTOMATIC:
        return settings.method == "stabilizer"
    small = circuit.wires(from_zero=settings.initial is None).count <= _SMALL_QUBITS
    return run.simulations <= _FEW_ROWS and (circuit.is_noisy or not small)


def _by_rows(run: ProgramRun, settings: Settings, max_memory_bytes: int) -> sim.MethodChoice | None:
    """Return the method that all rows of a program with inputs take, if it is one that the circuit without
    them can't.
    """
    if not looks_at_rows(run, settings):
        return None
    found: sim.MethodChoice | None = None
    for row in range(min(run.simulations, _FEW_ROWS)):
        try:
            circuit = run.circuit(row)
        except sim.SimulationFailed:
            # It is told of when the row is run.
            continue
        choice = sim.choose_method(request_for(run, circuit, settings), settings.method, max_memory_bytes)
        if choice.method != "stabilizer":
            return None
        if found is None or choice.required_bytes > found.required_bytes:
            found = choice
    return found


def _refusal(message: str, index: int, settings: Settings) -> ServiceError:
    if settings.method == AUTOMATIC:
        reason, field, begin = error_reason_pb2.ERROR_REASON_PROGRAM_INVALID, f"programs[{index}]", ""
    else:
        reason, field, begin = error_reason_pb2.ERROR_REASON_OPTION_INVALID, _FIELD, f"{_FIELD}: "
    return ServiceError(
        reason,
        f"{begin}programs[{index}]: {printable(message)}",
        metadata={"program_index": str(index), "field": field},
        field=field,
    )
