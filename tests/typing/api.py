"""The client's types as its users see them. Never run: `mypy --strict tests/typing` checks it.

A line with `type: ignore` states that mypy refuses it; `warn_unused_ignores` makes that a test.
"""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
from basicaer.client import (
    AsyncBasicAerBackend,
    AsyncBasicAerJob,
    AsyncBasicAerProvider,
    BasicAerBackend,
    BasicAerError,
    BasicAerJob,
    BasicAerProvider,
    Circuit,
    Counts,
    JobError,
    JobEvent,
    JobStatus,
    JobTimeoutError,
    Options,
    Output,
    Outputs,
    Program,
    Progress,
    Result,
    ServerInfo,
)


def circuits() -> None:
    """Methods chain, take one qubit or several, and `with` gives what blocks need."""
    circuit = Circuit(3, 2, name="bell", global_phase=0.5, metadata={"a": 1})
    assert_type(circuit.h(0).rx(0.5, [0, 1]).cx(0, range(1, 3)).measure([0, 1], [0, 1]), Circuit)
    assert_type(Circuit.from_gates(1, [("h", [0]), ("rx", [0], [0.5])]), Circuit)
    register = circuit.add_classical_register("r", 2)
    assert_type(register[0], int)
    variable = circuit.add_variable("v", "uint", 8)
    with circuit.if_test((register, 3)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.y(0)
    with circuit.while_loop((variable + 1 < 3) & circuit.bit(0)):
        circuit.break_loop()
    with circuit.for_loop(range(3)) as index:
        circuit.rx(index * 0.5, 0)
    with circuit.switch(register) as case, case(0, 1):
        circuit.x(0)
    circuit.unitary(np.eye(2), 0).initialize([1, 0], 0).initialize("0", [0]).initialize(1, 0)
    circuit.h("0")  # type: ignore[arg-type]  # a name is no qubit
    circuit.rx("theta", 0)  # type: ignore[arg-type]  # a free parameter has no value


def sync(provider: BasicAerProvider) -> None:
    """The sync client."""
    backend = provider.get_backend("qasm_simulator")
    assert_type(backend, BasicAerBackend)
    assert_type(provider.backends(filters=lambda one: one.num_qubits > 3), list[BasicAerBackend])
    assert_type(provider.server_info(), ServerInfo)
    assert_type(backend.options, Options)
    circuit = Circuit(1)
    theta = circuit.add_input("theta")
    circuit.rz(2 * theta + 0.5, 0).save_statevector().save_expectation_value({"Z": 1.0})
    backend.run(Program(circuit, {"theta": [0.5, 1.5]}, ["Z", {"X": 1.0}], precision=0.1, shots=5))
    job = backend.run([Circuit(1), "OPENQASM 2.0;"], shots=5, memory=True, labels={"a": "b"})
    assert_type(job, BasicAerJob)
    assert_type(job.backend(), BasicAerBackend)
    assert_type(job.status(), JobStatus)
    assert_type(job.cancel(), bool)
    assert_type(job.progress(), Progress | None)
    assert_type(job.queue_position(), int | None)
    assert_type(job.error(), JobError | None)
    for event in job.events(timeout=5):
        assert_type(event, JobEvent)
    for found in provider.jobs(status=JobStatus.DONE):
        assert_type(found, BasicAerJob)

    def callback(job_id: str, status: JobStatus, job: BasicAerJob) -> None:
        """What a wait calls."""

    job.wait_for_final_state(5, 0.5, callback)
    job.wait_for_final_state(callback=lambda job_id: None)  # type: ignore[arg-type,misc]  # three arguments
    backend.run("x", shot=5)  # type: ignore[call-arg]  # no such option


def results(result: Result) -> None:
    """A result's data."""
    assert_type(result.get_counts(0), Counts)
    assert_type(result.get_counts("bell").most_frequent(), str)
    assert_type(result.get_counts(), Any)
    assert_type(result.get_memory(), list[str])
    outputs = result.get_outputs()
    assert_type(outputs, Outputs)
    assert_type(outputs["n"], Output)
    assert_type(outputs["n"].counts, dict[Any, int])
    assert_type(outputs["n"].values, npt.NDArray[Any])
    assert_type(outputs.counts, dict[tuple[Any, ...], int])
    assert_type(result.get_statevector(decimals=3), npt.NDArray[Any])
    assert_type(result.get_expectation_values(0), npt.NDArray[np.float64])
    assert_type(result.results[0].header.n_qubits, int)
    assert_type(result.results[0].error, JobError | None)


async def asyncio_twin() -> None:
    """The asyncio client has the same methods, to be awaited."""
    async with AsyncBasicAerProvider("127.0.0.1:50051", timeout=5) as provider:
        backend = await provider.get_backend("qasm_simulator")
        assert_type(backend, AsyncBasicAerBackend)
        job = await backend.run(Circuit(1))
        assert_type(job, AsyncBasicAerJob)
        assert_type(await job.status(), JobStatus)
        assert_type(await job.result(timeout=5), Result)
        async for event in job.events():
            assert_type(event, JobEvent)
        async for found in provider.jobs(limit=3):
            assert_type(found, AsyncBasicAerJob)

        async def callback(job_id: str, status: JobStatus, job: AsyncBasicAerJob) -> None:
            """What a wait awaits."""

        await job.wait_for_final_state(callback=callback)


def errors() -> None:
    """A timeout is a job's error, and that is the client's."""
    error: BasicAerError = JobTimeoutError("late")
    assert_type(error.line, int | None)
    assert_type(error.metadata, dict[str, str])
