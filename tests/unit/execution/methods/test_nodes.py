"""Over how many nodes a job is spread, and what is refused of it: said when it is prepared."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from basicaer.client import Channel, Circuit, NoiseModel
from basicaer.client import Program as ClientProgram
from basicaer.client.jobs._programs import programs_from
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError, SettingError
from basicaer.service.execution import ExecutionOutcome, PreparedJob, ThreadExecutor, new_executor
from basicaer.service.execution._acceptance import accept
from basicaer.service.execution._checked import with_seed
from basicaer.service.execution._interface import ExecutionControl, ExecutionLostError
from basicaer.simulator import distributed
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2, result_pb2

from tests.outcomes import whole

STATEVECTOR = job_pb2.SIMULATION_METHOD_STATEVECTOR
STABILIZER = job_pb2.SIMULATION_METHOD_STABILIZER
MIB = 1 << 20
SECRET = bytes(range(32))


def layers(size: int, *, saves: bool = False, parts: bool = False) -> Circuit:
    """Gates that entangle all qubits and measurements at their end, and with `parts` one in their midst."""
    circuit = Circuit(size, size)
    for qubit in range(size):
        circuit.ry(0.3 + 0.1 * qubit, qubit)
    if parts:
        circuit.measure(size - 1, size - 1)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1).rx(0.7, qubit)
    if saves:
        circuit.save_probabilities([0, size - 1]).save_expectation_value("ZZ", [1, size - 1])
    return circuit.measure(range(size), range(size))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path, max_memory_bytes=128 * MIB, max_nodes=4)


def refusal(executor: ThreadExecutor, spec: job_pb2.JobSpec) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(spec)
    assert caught.value.reason == error_reason_pb2.ERROR_REASON_OPTION_INVALID
    assert caught.value.field == "options.nodes"
    return caught.value


def test_as_many_nodes_as_are_asked_for(executor: ThreadExecutor, make_spec: Any) -> None:
    alone = executor.prepare(make_spec(layers(18).to_message(), nodes=1))
    assert alone.nodes == 1
    spread = executor.prepare(make_spec(layers(18).to_message(), nodes=4))
    assert spread.nodes == 4
    assert not spread.quick
    # Of a state of 4 MiB a quarter, and what is exchanged.
    assert spread.required_bytes < alone.required_bytes + 8 * MIB


def test_as_few_nodes_as_a_state_fits_into(executor: ThreadExecutor, make_spec: Any) -> None:
    for size, nodes in ((22, 1), (23, 2), (24, 4)):
        prepared = executor.prepare(make_spec(layers(size).to_message(), method=STATEVECTOR))
        assert prepared.nodes == nodes
        assert prepared.required_bytes <= 128 * MIB
    single = make_spec(layers(24).to_message(), method=STATEVECTOR, precision=job_pb2.PRECISION_SINGLE)
    assert executor.prepare(single).nodes == 2


def test_small_programs_beside_a_large_one(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec(layers(3).to_message(), layers(23).to_message(), method=STATEVECTOR)
    prepared: Any = executor.prepare(spec)
    assert prepared.nodes == 2
    assert [cost.nodes for cost in prepared.costs] == [1, 2]
    assert "2 nodes" in prepared.costs[1].reason


def test_a_job_tells_its_nodes_and_what_all_of_them_need(executor: ThreadExecutor, make_spec: Any) -> None:
    def accepted(**options: Any) -> tuple[job_pb2.Job, PreparedJob]:
        spec = make_spec(layers(23).to_message(), method=STATEVECTOR, **options)
        limits: dict[str, Any] = {"max_memory_bytes": 128 * MIB, "max_metadata_bytes": 0}
        return accept(spec, lambda: executor.prepare(spec), most_result_bytes=None, **limits)

    job, prepared = accepted()
    assert (job.nodes, job.required_bytes) == (2, 2 * prepared.required_bytes)
    with pytest.raises(
        ServiceError, match="spread over 2 nodes of a cluster: leave out the option nodes"
    ) as one:
        accepted(nodes=1)
    assert one.value.reason == error_reason_pb2.ERROR_REASON_JOB_EXCEEDS_MEMORY


def test_what_does_not_fit_is_told_how_it_would(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(layers(26).to_message(), method=STATEVECTOR))
    assert prepared.nodes == 1
    assert "--max-nodes 16" in prepared.memory_advice(128 * MIB)
    # Outcomes alone are as many on each node.
    many = executor.prepare(make_spec(layers(3).to_message(), shots=10_000_000))
    assert "nodes" not in many.memory_advice(128 * MIB)
    # No cluster holds it.
    vast = executor.prepare(make_spec(layers(80).to_message(), method=STATEVECTOR))
    assert "--max-nodes" not in vast.memory_advice(128 * MIB)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [(3, "a power of two"), (8, "the most is 4, which the server's setting max_nodes says")],
)
def test_numbers_of_nodes_that_are_refused(
    executor: ThreadExecutor, make_spec: Any, nodes: int, words: str
) -> None:
    assert words in refusal(executor, make_spec(layers(18).to_message(), nodes=nodes)).message


def test_only_what_counts_outcomes_is_spread(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec(layers(18).to_message(), backend="statevector_simulator", nodes=2)
    assert "statevector_simulator has no such option" in refusal(executor, spec).message


def _noisy() -> circuit_pb2.Circuit:
    return layers(18).channel(Channel.depolarizing(0.1), 0).to_message()


@pytest.mark.parametrize(
    ("circuit", "options", "words"),
    [
        (_noisy(), {}, "noise"),
        (layers(18).save_statevector().to_message(), {}, "save 'statevector'"),
        (layers(14).to_message(), {}, "14 qubits that gates act on, too few for 2 nodes"),
        (layers(18).to_message(), {"method": STABILIZER}, "stabilizer"),
    ],
)
def test_what_a_spread_state_cannot_do_is_named(
    executor: ThreadExecutor, make_spec: Any, circuit: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(circuit, nodes=2, **options))
    assert words in caught.value.message
    assert caught.value.reason == error_reason_pb2.ERROR_REASON_OPTION_INVALID


def test_a_noise_model_and_a_first_state_are_named(executor: ThreadExecutor, make_spec: Any) -> None:
    spec = make_spec(layers(18).to_message(), nodes=2)
    model = NoiseModel().add(Channel.pauli({"I": 0.75, "X": 0.25}), ["ry"])
    spec.options.noise_model.CopyFrom(model.to_message())
    assert "programs[0] can't be spread over 2 nodes: noise" in refusal(executor, spec).message


def test_derivatives_are_named(executor: ThreadExecutor) -> None:
    circuit = Circuit(16)
    theta = circuit.add_input("theta")
    for qubit in range(16):
        circuit.ry(theta, qubit)
    program = ClientProgram(circuit, inputs={"theta": [0.1]}, observables=["Z" * 16], gradient=True)
    spec = job_pb2.JobSpec(backend_name="qasm_simulator", programs=programs_from([program]))
    spec.options.nodes = 2
    assert "derivatives" in refusal(executor, spec).message


class Ranks:
    """Two ranks in this process, each with a mesh of its own."""

    def __init__(self, executor: ThreadExecutor) -> None:
        self.executor = executor
        listeners = [distributed.listen("127.0.0.1") for _ in range(2)]
        addresses = [("127.0.0.1", port) for _, port in listeners]
        self.threads = ThreadPoolExecutor(2)
        connected = [
            self.threads.submit(distributed.Mesh.connect, rank, addresses, listener, SECRET)
            for rank, (listener, _) in enumerate(listeners)
        ]
        self.meshes = [each.result() for each in connected]

    def start(self, prepared: PreparedJob, controls: list[ExecutionControl]) -> list[Any]:
        # Each has a copy of the job, as on a machine of its own.
        return [
            self.threads.submit(
                self.executor.execute,
                pickle.loads(pickle.dumps(prepared)),
                control,
                job_id="test",
                mesh=mesh,
            )
            for mesh, control in zip(self.meshes, controls, strict=True)
        ]

    def run(self, prepared: PreparedJob) -> list[ExecutionOutcome]:
        started = self.start(prepared, [prepared.new_control() for _ in self.meshes])
        return [each.result() for each in started]

    def close(self) -> None:
        for mesh in self.meshes:
            mesh.close()
        self.threads.shutdown()


@pytest.fixture
def ranks(executor: ThreadExecutor) -> Iterator[Ranks]:
    made = Ranks(executor)
    yield made
    made.close()


def entries(outcome: ExecutionOutcome) -> Sequence[result_pb2.ProgramResult]:
    found = whole(outcome)
    assert found.result is not None, found.error
    assert found.status == job_pb2.JOB_STATUS_DONE, found.error
    return found.result.programs


def test_the_same_seed_gives_the_same_on_two_nodes(
    executor: ThreadExecutor, ranks: Ranks, make_spec: Any
) -> None:
    programs = [layers(16, saves=True, parts=True).to_message(), layers(16).to_message()]

    def prepared(nodes: int) -> PreparedJob:
        return executor.prepare(make_spec(*programs, nodes=nodes, shots=50, seed_simulator=7, memory=True))

    one = prepared(1)
    alone = entries(executor.execute(one, one.new_control(), job_id="test"))
    first, second = map(entries, ranks.run(prepared(2)))
    for ours, theirs, others in zip(alone, first, second, strict=True):
        assert ours.counts == theirs.counts
        assert (ours.nodes, theirs.nodes) == (0, 2)
        # To the last bit on both ranks; sums are rounded in another order than on one node.
        assert theirs.arrays == others.arrays
        for mine, array in zip(ours.arrays, theirs.arrays, strict=True):
            assert mine.name == array.name
            np.testing.assert_allclose(
                np.frombuffer(mine.data, mine.dtype), np.frombuffer(array.data, array.dtype), atol=1e-12
            )


def test_a_seed_that_was_drawn_is_everybodys(executor: ThreadExecutor, ranks: Ranks, make_spec: Any) -> None:
    prepared = with_seed(executor.prepare(make_spec(layers(16).to_message(), nodes=2, shots=50)))
    (one,), (other,) = map(entries, ranks.run(prepared))
    assert one.seed_simulator == other.seed_simulator
    assert one.counts == other.counts


def _endless(size: int) -> circuit_pb2.Circuit:
    """A loop that goes on for as long as its first qubit was 1, which it always is."""
    circuit = Circuit(size, 1)
    for qubit in range(size):
        circuit.ry(1.0, qubit)
    circuit.x(0).reset(0).x(0).measure(0, 0)
    with circuit.while_loop((0, 1)):
        circuit.ry(0.1, size - 1).h(size - 1).measure(0, 0)
    return circuit.to_message()


def test_cancelled_on_all_nodes(executor: ThreadExecutor, ranks: Ranks, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(_endless(16), nodes=2, shots=1))
    controls = [prepared.new_control() for _ in range(2)]
    started = ranks.start(prepared, controls)
    for control in controls:
        control.cancel()
    assert {each.result().status for each in started} == {job_pb2.JOB_STATUS_CANCELLED}


def test_who_loses_its_peer_is_lost(executor: ThreadExecutor, ranks: Ranks, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(_endless(16), nodes=2, shots=1))
    controls = [prepared.new_control() for _ in range(2)]
    one, other = ranks.start(prepared, controls)
    # Only one is cancelled: the other sees that it is gone.
    controls[0].cancel()
    assert one.result().status == job_pb2.JOB_STATUS_CANCELLED
    with pytest.raises(ExecutionLostError, match="another process of the job is gone"):
        other.result()


def test_a_server_alone_has_one_node(config: Config) -> None:
    with pytest.raises(SettingError, match=r"max_nodes.*--database"):
        new_executor(config, "serve")
