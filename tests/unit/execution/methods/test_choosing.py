"""Which method runs a job's programs: chosen when it is prepared, told in its result."""

from __future__ import annotations

from typing import Any

import pytest
from basicaer.client import Channel, Circuit, NoiseModel
from basicaer.service.errors import ServiceError, exceeds_memory
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import circuit_pb2, error_reason_pb2, job_pb2

from tests.outcomes import whole

AUTOMATIC = job_pb2.SIMULATION_METHOD_AUTOMATIC
STATEVECTOR = job_pb2.SIMULATION_METHOD_STATEVECTOR
DENSITY_MATRIX = job_pb2.SIMULATION_METHOD_DENSITY_MATRIX
STABILIZER = job_pb2.SIMULATION_METHOD_STABILIZER
CHAINS = job_pb2.SIMULATION_METHOD_MATRIX_PRODUCT_STATE
SUPEROP = job_pb2.SIMULATION_METHOD_SUPEROP


def ghz(size: int, *extra: str) -> circuit_pb2.Circuit:
    """A GHZ state, behind which gates act on its first qubit."""
    circuit = Circuit(size, size).h(0)
    for qubit in range(size - 1):
        circuit.cx(qubit, qubit + 1)
    for name in extra:
        getattr(circuit, name)(0)
    return circuit.measure(range(size), range(size)).to_message()


@pytest.mark.parametrize(
    ("circuit", "method", "reason"),
    [
        (ghz(2), STATEVECTOR, "a state vector of 2 qubits is small"),
        (ghz(100), STABILIZER, "all gates are Clifford gates"),
        (ghz(1000), STABILIZER, "all gates are Clifford gates"),
        (ghz(100, "t"), CHAINS, "the only one that can (statevector: it needs 2^104 bytes"),
    ],
)
def test_the_method_that_fits_runs_and_says_why(run: Any, circuit: Any, method: int, reason: str) -> None:
    (program,) = run(circuit, shots=50).result.programs
    assert program.simulation_method == method
    assert program.reason.startswith(reason)
    size = circuit.num_clbits
    words = program.counts.words_per_outcome
    values = [
        sum(int(word) << 64 * place for place, word in enumerate(program.counts.outcomes[k : k + words]))
        for k in range(0, len(program.counts.outcomes), words)
    ]
    assert values == [0, 2**size - 1]
    assert program.HasField("matrix_product_state") == (method == CHAINS)


@pytest.mark.parametrize("method", [STATEVECTOR, DENSITY_MATRIX, STABILIZER, CHAINS])
def test_a_method_that_is_asked_for_runs(run: Any, method: int) -> None:
    (program,) = run(ghz(3), shots=20, method=method, precision=job_pb2.PRECISION_SINGLE).result.programs
    assert program.simulation_method == method
    assert program.reason == "it was asked for"
    assert sum(program.counts.counts) == 20


def test_bonds_are_cut_where_it_is_asked_for_and_that_is_told(run: Any) -> None:
    bounds = job_pb2.MatrixProductStateOptions(max_bond_dimension=1)
    (program,) = run(ghz(6), shots=9, method=CHAINS, matrix_product_state=bounds).result.programs
    cuts = program.matrix_product_state
    assert cuts.largest_bond == 1
    assert cuts.discarded_weight == pytest.approx(0.5)
    assert cuts.estimated_fidelity == pytest.approx(0.5)
    (whole_one,) = run(ghz(6), shots=9, method=CHAINS).result.programs
    assert whole_one.matrix_product_state.largest_bond == 2
    assert whole_one.matrix_product_state.estimated_fidelity == 1.0


@pytest.mark.parametrize(
    ("program", "method", "words"),
    [
        (ghz(3, "t"), STABILIZER, "t, which is no Clifford gate; statevector and density_matrix and"),
        (ghz(16), DENSITY_MATRIX, "16 qubits, more than 15; statevector and stabilizer and"),
    ],
)
def test_what_a_method_cannot_do_is_refused_by_name(
    executor: ThreadExecutor, make_spec: Any, program: Any, method: int, words: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        executor.prepare(make_spec(ghz(2), program, method=method))
    assert refused.value.reason == error_reason_pb2.ERROR_REASON_OPTION_INVALID
    assert refused.value.metadata == {"field": "options.method", "program_index": "1"}
    assert words in refused.value.message


def test_a_refusal_for_memory_names_the_methods_that_fit(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(ghz(34, "t"), method=STATEVECTOR))
    assert prepared.required_bytes > 16 << 34
    told = exceeds_memory(prepared.required_bytes, 20 << 30, prepared.memory_advice(20 << 30)).message
    for words in ("256 GiB", "20 GiB", "bonds are at most 2: method=matrix_product_state needs 18 MiB"):
        assert words in told


def deep(size: int, layers: int) -> circuit_pb2.Circuit:
    """A circuit whose bonds grow with each layer."""
    circuit = Circuit(size, size)
    for layer in range(layers):
        for qubit in range(size):
            circuit.u(0.1 + qubit, 0.2 * layer, 0.3, qubit)
        for qubit in range(layer % 2, size - 1, 2):
            circuit.cx(qubit, qubit + 1)
    return circuit.measure(range(size), range(size)).to_message()


def test_what_fits_nowhere_is_told_of_a_bound_that_would(executor: ThreadExecutor, make_spec: Any) -> None:
    prepared = executor.prepare(make_spec(deep(60, 60)))
    assert prepared.required_bytes > 16 << 60
    told = prepared.memory_advice(4 << 30)
    assert "method=matrix_product_state with max_bond_dimension=64 needs" in told
    # Asked for, it is let run, and metered.
    metered = executor.prepare(make_spec(deep(60, 60), method=CHAINS))
    assert metered.required_bytes < executor._config.max_memory_bytes


def test_a_chain_that_outgrows_its_memory_fails_and_says_what_to_do(tmp_path: Any, make_spec: Any) -> None:
    from basicaer.service.config import Config

    executor = ThreadExecutor(Config(data_dir=tmp_path, max_memory_bytes=64 << 20))
    try:
        prepared = executor.prepare(make_spec(deep(60, 60), method=CHAINS, shots=1))
        outcome = executor.execute(prepared, prepared.new_control(), job_id="j")
    finally:
        executor.close()
    assert outcome.error is not None
    assert outcome.error.reason == error_reason_pb2.ERROR_REASON_SIMULATION_FAILED
    assert "bound its bonds by max_bond_dimension" in outcome.error.message


def test_inputs_whose_values_make_clifford_gates_take_the_stabilizer_method(
    executor: ThreadExecutor, make_spec: Any
) -> None:
    circuit = Circuit(50, 50)
    theta = circuit.add_input("theta")
    for qubit in range(50):
        circuit.rz(theta, qubit).h(qubit)
    for qubit in range(25):
        circuit.cx(2 * qubit, 2 * qubit + 1)
    spec = make_spec(circuit.measure(range(50), range(50)).to_message(), shots=5)
    spec.programs[0].inputs.names.append("theta")
    methods = []
    for values in ([0.0, 1.5707963267948966], [0.0, 0.3]):
        spec.programs[0].inputs.values[:] = values
        prepared = executor.prepare(spec)
        outcome = whole(executor.execute(prepared, prepared.new_control(), job_id="j")).result
        assert outcome is not None
        methods.append([program.simulation_method for program in outcome.programs])
    assert methods == [[STABILIZER] * 2, [CHAINS] * 2]


def test_noise_of_pauli_operators_is_taken_by_the_stabilizer_method(run: Any) -> None:
    model = NoiseModel().add(Channel.depolarizing(0.01, 2), ["cx"]).to_message()
    (program,) = run(ghz(100), shots=500, noise_model=model, seed_simulator=1).result.programs
    assert program.simulation_method == STABILIZER
    assert 50 < len(program.counts.counts) < 500


def test_backends_of_states_and_matrices_have_no_choice(executor: ThreadExecutor, make_spec: Any) -> None:
    methods = {info.name: list(info.methods) for info in executor.backends()}
    assert methods["qasm_simulator"] == [AUTOMATIC, STATEVECTOR, DENSITY_MATRIX, STABILIZER, CHAINS, SUPEROP]
    assert methods["basic_simulator"] == methods["qasm_simulator"]
    for backend in ("statevector_simulator", "unitary_simulator"):
        assert methods[backend] == []
        with pytest.raises(ServiceError, match="no such option"):
            executor.prepare(make_spec("qreg q[1]; U(1,2,3) q;", backend=backend, method=STATEVECTOR))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"method": 99}, "options.method"),
        (
            {"matrix_product_state": job_pb2.MatrixProductStateOptions(truncation_threshold=1.0)},
            "options.matrix_product_state.truncation_threshold",
        ),
    ],
)
def test_options_that_mean_nothing_are_refused(
    executor: ThreadExecutor, make_spec: Any, options: Any, field: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        executor.prepare(make_spec(ghz(2), **options))
    assert refused.value.metadata["field"] == field
