"""Jobs whose state is spread over the nodes of a Ray cluster: the same results, refusals by name, and what is
seen when a process dies or the job is cancelled.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from basicaer.client import Channel, Circuit
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc, result_pb2

from tests.cluster.ray import RayCluster
from tests.conftest import ServerProcess
from tests.integration.conftest import Wire
from tests.integration.nodes.services import Service, read, serving
from tests.postgresql import running

CANCELLED = job_pb2.JOB_STATUS_CANCELLED
DONE = job_pb2.JOB_STATUS_DONE
STATEVECTOR = job_pb2.SIMULATION_METHOD_STATEVECTOR
ENDLESS = """
OPENQASM 3.0; include "stdgates.inc"; qubit[16] q; output bit c; ry(1) q;
while (true) { h q; }
c = measure q[0];
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def service(nodes: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running() as postgresql:
        # Of a node's 1.5 GiB one process for small jobs has 0.5, and a job's own process 0.25.
        spreads = ("--max-nodes", "2")
        of_server = (*spreads, "--max-memory-bytes", "768MiB")
        folder = tmp_path_factory.mktemp("parts")
        yield from serving(nodes, postgresql.base_url, folder, of_server, spreads)


def entangled(size: int, *, parted: bool = False) -> Circuit:
    """Rotations and CNOTs, with a measurement in their midst if it is to be parted, and saves at its end."""
    circuit = Circuit(size, size)
    for qubit in range(size):
        circuit.ry(0.3 + 0.1 * qubit, qubit)
    if parted:
        circuit.measure(size - 1, size - 1)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1).rx(0.7, qubit)
    circuit.save_probabilities([0, size - 1]).save_expectation_value("ZX", [1, size - 1])
    return circuit.measure(range(size), range(size))


def spec_of(circuit: Circuit | str, **options: Any) -> job_pb2.JobSpec:
    program = (
        job_pb2.Program(openqasm3=circuit)
        if isinstance(circuit, str)
        else job_pb2.Program(circuit=circuit.to_message())
    )
    return job_pb2.JobSpec(
        backend_name="qasm_simulator", programs=[program], options=job_pb2.RunOptions(**options)
    )


def entry(stub: job_service_pb2_grpc.JobServiceStub, job_id: str) -> result_pb2.ProgramResult:
    (found,) = result_pb2.Result.FromString(read(stub, job_id)).programs
    return found


def final(service: Service, job_id: str) -> job_pb2.Job:
    told = list(service.watch(job_id))
    job = service.stub.GetJob(job_service_pb2.GetJobRequest(job_id=job_id), timeout=60).job
    assert told[-1].status.status == job.status
    return job


@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("precision", [job_pb2.PRECISION_DOUBLE, job_pb2.PRECISION_SINGLE])
def test_the_same_as_on_one_node(
    service: Service, server: ServerProcess, wire: Wire, parted: bool, precision: job_pb2.Precision.ValueType
) -> None:
    spec = spec_of(entangled(17, parted=parted), shots=200, seed_simulator=11, precision=precision)
    with server.stub() as stub:
        own = wire.submit(stub, spec).job_id
        assert wire.wait_final(stub, own).status == DONE
        alone = entry(stub, own)
    spec.options.nodes = 2
    job = final(service, service.submit(spec))
    assert (job.status, job.nodes) == (DONE, 2), job.error
    spread = entry(service.stub, job.job_id)
    assert (alone.nodes, spread.nodes) == (0, 2)
    assert spread.simulation_method == STATEVECTOR
    assert spread.counts == alone.counts
    for array, its in zip(spread.arrays, alone.arrays, strict=True):
        assert array.name == its.name
        found, wanted = (np.frombuffer(one.data, one.dtype) for one in (array, its))
        np.testing.assert_allclose(
            found, wanted, atol=1e-5 if precision == job_pb2.PRECISION_SINGLE else 1e-12
        )


def test_a_state_too_large_for_a_node_is_spread(service: Service) -> None:
    circuit = Circuit(26, 26)
    for qubit in range(26):
        circuit.ry(0.5, qubit)
    spec = spec_of(circuit.cx(24, 25).measure(range(26), range(26)), shots=100, method=STATEVECTOR)
    job = final(service, service.submit(spec))
    assert (job.status, job.nodes) == (DONE, 2), job.error
    assert job.required_bytes > 1024**3
    assert "spread over 2 nodes" in entry(service.stub, job.job_id).reason


def refused(service: Service, spec: job_pb2.JobSpec) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        service.submit(spec)
    return str(caught.value.details())


def test_what_is_refused_is_named(service: Service) -> None:
    noisy = entangled(17).channel(Channel.depolarizing(0.1), 0)
    assert "can't be spread over 2 nodes: noise" in refused(service, spec_of(noisy, nodes=2))
    assert "setting max_nodes" in refused(service, spec_of(entangled(17), nodes=4))
    assert "too few for 2 nodes" in refused(service, spec_of(entangled(3), nodes=2))
    large = refused(service, spec_of(entangled(30), method=STATEVECTOR))
    assert "--max-nodes 32" in large


def test_killed_and_cancelled(service: Service, wire: Wire) -> None:
    job_id = service.submit(spec_of(ENDLESS, nodes=2, shots=1))

    def attempts() -> int:
        return service.stub.GetJob(job_service_pb2.GetJobRequest(job_id=job_id), timeout=60).job.attempt

    def ranks() -> list[psutil.Process]:
        found = []
        for process in service.nodes.simulators():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name().startswith("ray::Rank"):
                    found.append(process)
        return found

    def killed() -> bool:
        """Kill a rank of the first attempt; whether another attempt has begun."""
        for process in ranks()[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return attempts() > 1

    wire.until(attempts)
    wire.until(killed, 120.0)
    wire.until(lambda: len(ranks()) == 2, 120.0)
    service.cancel(job_id)
    assert final(service, job_id).status == CANCELLED
    # Nothing is left of it.
    wire.until(lambda: not ranks())
