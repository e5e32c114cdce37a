"""What the tests of jobs have in common: circuits, and how to wait for a status."""

from __future__ import annotations

from basicaer.client import BasicAerJob, Circuit, JobStatus

__all__ = ["LIMIT", "await_status", "bell", "dividing_by_zero", "endless"]

LIMIT = 60.0  # seconds after which something that should come soon will never come


def bell() -> Circuit:
    """Counts of 00 and 11."""
    return Circuit(2, 2, name="bell").h(0).cx(0, 1).measure([0, 1], [0, 1])


def endless() -> Circuit:
    """Runs until it's cancelled."""
    circuit = Circuit(2, 1, name="endless").x(0).measure(0, 0)
    with circuit.while_loop((0, 1)):
        circuit.x(1)
    return circuit


def dividing_by_zero() -> Circuit:
    """Fails while it runs."""
    circuit = Circuit(1, 1, name="failing")
    variable = circuit.add_variable("v", "uint", 8)
    one = circuit.add_variable("one", "uint", 8)
    circuit.store(one, one + 1)
    circuit.store(variable, one / variable)
    return circuit.measure(0, 0)


def await_status(job: BasicAerJob, status: JobStatus) -> None:
    """Returns once the job has been in a status."""
    for event in job.events(timeout=LIMIT):
        if event.status is status:
            return
    raise AssertionError(f"the job ended without being {status.name}")
