"""The builder writes what Qiskit's methods of the same names write, and refuses at once what can't be run."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from basicaer.client import Circuit, CircuitError, Expression
from basicaer.client.circuit._gate_methods import GateMethods
from basicaer.client.circuit._gates import GATE_SHAPES, OPEN_SHAPES
from basicaer.client.conversion.from_qiskit import circuit_to_proto
from basicaer.simulator import GATES
from basicaer.v1 import circuit_pb2 as pb
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

METHODS = [name for name, _ in inspect.getmembers(GateMethods, inspect.isfunction) if name[0] != "_"]
METHODS.remove("append")


def steps(circuit: pb.Circuit) -> list[tuple[Any, ...]]:
    """The instructions as (name, controls, qubits, clbits, parameters)."""
    found = []
    qubits, clbits, parameters = (
        iter(column) for column in (circuit.body.qubits, circuit.body.clbits, circuit.body.parameters)
    )
    for index in circuit.body.operations:
        operation = circuit.operations[index]
        found.append(
            (
                operation.name,
                operation.num_controls,
                [next(qubits) for _ in range(operation.num_qubits)],
                [next(clbits) for _ in range(operation.num_clbits)],
                [next(parameters) for _ in range(operation.num_parameters)],
            )
        )
    assert not [*qubits, *clbits, *parameters]
    return found


@pytest.mark.parametrize("name", METHODS)
def test_a_gates_method_has_qiskits_order_of_arguments(name: str) -> None:
    ours, theirs = Circuit(5), QuantumCircuit(5)
    angles, qubits = iter([0.1, 0.2, 0.3, 0.4]), iter([3, 1, 4, 0])
    arguments: list[Any] = []
    for parameter in list(inspect.signature(getattr(Circuit, name)).parameters)[1:]:
        if parameter in ("theta", "phi", "lam", "gamma"):
            arguments.append(next(angles))
        elif parameter == "controls":
            arguments.append([next(qubits), next(qubits)])
        else:
            arguments.append(next(qubits))
    getattr(ours, name)(*arguments)
    getattr(theirs, name)(*arguments)
    ((our_name, _, our_qubits, _, our_parameters),) = steps(ours.to_message())
    ((_, _, their_qubits, _, their_parameters),) = steps(circuit_to_proto(theirs))
    assert our_name == name
    assert (our_qubits, our_parameters) == (their_qubits, their_parameters)


def test_the_shapes_are_those_of_the_simulators_table() -> None:
    for name, (qubits, parameters) in GATE_SHAPES.items():
        spec = GATES[name]
        assert (spec.num_qubits, spec.num_parameters, spec.any_controls) == (qubits, parameters, False), name
    for name, (qubits, parameters) in OPEN_SHAPES.items():
        spec = GATES[name]
        assert (spec.num_qubits, spec.num_parameters, spec.any_controls) == (qubits, parameters, True), name


@given(
    st.lists(st.sampled_from(["h", "rx", "cx", "cp", "ccx", "measure", "barrier", "reset"]), max_size=20),
    st.randoms(use_true_random=False),
)
def test_random_circuits_are_those_that_qiskit_gives(names: list[str], random: Any) -> None:
    ours = Circuit(4, 3, name="same", global_phase=0.25)
    theirs = QuantumCircuit(4, 3, name="same", global_phase=0.25)
    for name in names:
        one, two, three = random.sample(range(4), 3)
        for circuit in (ours, theirs):
            match name:
                case "rx":
                    circuit.rx(0.5, one)
                case "cp":
                    circuit.cp(0.5, one, two)
                case "cx":
                    circuit.cx(one, two)
                case "ccx":
                    circuit.ccx(one, two, three)
                case "measure":
                    circuit.measure([one, two], [0, 2])
                case "barrier":
                    circuit.barrier()
                case _:
                    getattr(circuit, name)(one)
    mine, other = ours.to_message(), circuit_to_proto(theirs)
    assert steps(mine) == steps(other)
    assert (mine.name, mine.global_phase, mine.num_qubits, mine.num_clbits) == ("same", 0.25, 4, 3)
    for kind in ("quantum_registers", "classical_registers"):
        assert [(r.name, r.size) for r in getattr(mine, kind)] == [
            (r.name, r.size) for r in getattr(other, kind)
        ]


def test_registers_number_their_bits_through_the_circuit() -> None:
    ours = Circuit()
    a, b = ours.add_quantum_register("a", 2), ours.add_quantum_register("b", 3)
    c, d = ours.add_classical_register("c", 1), ours.add_classical_register("d", 2)
    assert (list(b), b[0], b[1:], len(d), list(d)) == ([2, 3, 4], 2, (3, 4), 2, [1, 2])
    ours.h(a).cx(a[1], b).measure(b[:2], d).measure(0, c[0])
    theirs = QuantumCircuit(
        qa := QuantumRegister(2, "a"),
        qb := QuantumRegister(3, "b"),
        cc := ClassicalRegister(1, "c"),
        cd := ClassicalRegister(2, "d"),
    )
    theirs.h(qa)
    theirs.cx(qa[1], qb)
    theirs.measure(qb[:2], cd)
    theirs.measure(0, cc[0])
    assert steps(ours.to_message()) == steps(circuit_to_proto(theirs))
    with pytest.raises(CircuitError, match="no bit 5"):
        b[5]


def test_measure_all_adds_a_register_as_qiskits_does() -> None:
    ours, theirs = Circuit(2, 1), QuantumCircuit(2, 1)
    ours.measure_all()
    theirs.measure_all()
    assert steps(ours.to_message()) == steps(circuit_to_proto(theirs))
    assert [register.name for register in ours.classical_registers] == ["c", "meas"]
    ours.measure_all()
    assert ours.classical_registers[-1].name == "meas0"
    assert steps(Circuit(2, 3).measure_all(add_bits=False).to_message())[1:] == [
        ("measure", 0, [0], [0], []),
        ("measure", 0, [1], [1], []),
    ]
    with pytest.raises(CircuitError, match="2 qubits"):
        Circuit(2, 1).measure_all(add_bits=False)


def test_from_gates_and_chains_are_the_same() -> None:
    chained = Circuit(2, 1, name="x").h(0).rx(0.5, 1).cx(0, 1).measure(1, 0)
    listed = Circuit.from_gates(
        2, [("h", [0]), ("rx", [1], [0.5]), ("cx", [0, 1]), ("measure", [1], [], [0])], 1, name="x"
    )
    assert chained.to_message() == listed.to_message()
    assert len(listed) == 4


def test_equal_operations_share_an_entry_of_the_table() -> None:
    circuit = Circuit(3)
    for _ in range(100):
        circuit.h(0).cx(0, 1).rx(0.1, 2).rx(0.2, 2)
    assert [operation.name for operation in circuit.to_message().operations] == ["h", "cx", "rx"]


def test_controls_and_matrices_and_states_keep_their_form() -> None:
    circuit = Circuit(3).append("rx", [2, 0, 1], [0.5], num_controls=2, control_state=1)
    circuit.unitary([[0, 1], [1, 0]], 1, label="flip").initialize([0.6, 0.8j], 2).initialize("+1", [0, 2])
    circuit.initialize(5).delay(100, 0, unit="ns")
    rx, flip, state, label, index, delay = circuit.to_message().operations
    assert (rx.num_qubits, rx.num_controls, rx.control_state) == (3, 2, 1)
    assert np.frombuffer(flip.matrix.data, "<c16").reshape(tuple(flip.matrix.shape)).tolist() == [
        [0, 1],
        [1, 0],
    ]
    assert flip.label == "flip"
    assert np.frombuffer(state.initialize.amplitudes.data, "<c16").tolist() == [0.6, 0.8j]
    assert label.initialize.label == "+1"
    assert (index.initialize.basis_state, index.num_qubits) == (5, 3)
    assert (delay.unit, list(circuit.to_message().body.parameters)) == ("ns", [0.5, 100])


def test_blocks_stand_after_what_they_use() -> None:
    circuit = Circuit(2, 2)
    register = circuit.classical_registers[0]
    with circuit.while_loop((register, 2)):
        with circuit.if_test((0, 0)) as otherwise:
            circuit.x(0)
        with otherwise:
            circuit.h(1)
            circuit.continue_loop()
        with circuit.for_loop([3, 5]) as turn, circuit.switch(register) as case:
            with case(0, 1):
                circuit.rx(turn * 0.5, 0)
            with case():
                circuit.break_loop()
    message = circuit.to_message()

    def check(block: pb.Block, limit: int) -> None:
        for index in block.operations:
            assert index < limit
            operation = message.operations[index]
            blocks = [operation.if_else.then_block, operation.if_else.else_block, operation.while_loop.body]
            blocks += [operation.for_loop.body, *(case.body for case in operation.switch_case.cases)]
            for inner in blocks:
                check(inner, index)

    check(message.body, len(message.operations))
    (loop,) = [operation for operation in message.operations if operation.name == "while_loop"]
    assert loop.while_loop.condition.binary.operator == pb.BINARY_OPERATOR_EQUAL
    (choice,) = [operation for operation in message.operations if operation.name == "if_else"]
    assert choice.if_else.condition.unary.operand.clbit == 0
    assert len(choice.if_else.else_block.operations) == 2
    (cases,) = [operation for operation in message.operations if operation.name == "switch_case"]
    assert [list(case.values) for case in cases.switch_case.cases] == [[0, 1], []]
    assert cases.switch_case.cases[1].is_default


def test_a_block_that_fails_is_left_out() -> None:
    circuit = Circuit(1, 1)
    with pytest.raises(CircuitError), circuit.if_test((0, 1)):
        circuit.x(7)
    assert len(circuit) == 0
    assert len(circuit.to_message().body.operations) == 0
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(0)
    with pytest.raises(CircuitError), otherwise:
        circuit.x(7)
    (choice,) = [operation for operation in circuit.to_message().operations if operation.name == "if_else"]
    assert choice.if_else.HasField("then_block")
    assert not choice.if_else.HasField("else_block")


def test_an_open_block_is_not_sent() -> None:
    circuit = Circuit(1, 1)
    with circuit.if_test((0, 1)), pytest.raises(CircuitError, match="open"):
        circuit.to_message()


def test_expressions_are_built_by_operators() -> None:
    circuit = Circuit(1, 2)
    value = circuit.add_variable("v", "uint", 8)
    tree = (~value + 1 < 3).message
    assert tree.binary.operator == pb.BINARY_OPERATOR_LESS
    assert tree.binary.right.literal.uint_value == 3
    assert tree.binary.left.binary.left.unary.operator == pb.UNARY_OPERATOR_BIT_NOT
    assert (value == -1).message.binary.right.literal.int_value == -1
    wide = (value == 2**70).message.binary.right.literal.wide_value
    assert int.from_bytes(wide, "little") == 2**70
    assert (1 - value).message.binary.left.literal.uint_value == 1
    assert value[3].message.index.index.literal.uint_value == 3
    for operation in ("__and__", "__or__", "__xor__", "__ne__", "__le__", "__gt__", "__ge__", "__lshift__"):
        assert isinstance(getattr(value, operation)(1), Expression)
    with pytest.raises(CircuitError, match="before the circuit runs"):
        bool(value == 1)
    with pytest.raises(CircuitError, match="expression"):
        value + "1"
    for one in (value, value + 1):
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda c: c.h(2), "no qubit 2"),
        (lambda c: c.h(-1), "no qubit -1"),
        (lambda c: c.h(0.5), "integer"),
        (lambda c: c.h("q0"), "integer"),
        (lambda c: c.h(True), "integer"),
        (lambda c: c.cx(1, 1), "twice"),
        (lambda c: c.rx(math.nan, 0), "finite"),
        (lambda c: c.rx(math.inf, 0), "finite"),
        (lambda c: c.rx("theta", 0), "bind"),
        (lambda c: c.rx(1j, 0), "bind"),
        (lambda c: c.rx(None, 0), "bind"),
        (lambda c: c.measure(0, 2), "no classical bit 2"),
        (lambda c: c.measure([0, 1], [0, 1, 0]), "operands"),
        (lambda c: c.append("hh", [0]), "no gate 'hh'"),
        (lambda c: c.append("cxx", [0]), "cx"),
        (lambda c: c.append("h", [0, 1]), "1 qubits"),
        (lambda c: c.append("rx", [0]), "1 parameters"),
        (lambda c: c.append("rx", [0], [1, 2]), "1 parameters"),
        (lambda c: c.append("h", [0], [], [0]), "0 classical bits"),
        (lambda c: c.append("x", [0, 1], num_controls=1, control_state=2), "state 2"),
        (lambda c: c.append("x", [0], num_controls=2), "controls"),
        (lambda c: c.append("measure", [0, 1], [], [0], num_controls=1), "controlled"),
        (lambda c: c.unitary(np.eye(4), 0), "shape"),
        (lambda c: c.unitary([[1, 0]], 0), "shape"),
        (lambda c: c.unitary([[math.nan, 0], [0, 1]], 0), "finite"),
        (lambda c: c.unitary("x", 0), "numbers"),
        (lambda c: c.initialize([1, 0, 0], [0, 1]), "shape"),
        (lambda c: c.initialize("012", [0, 1]), "label"),
        (lambda c: c.initialize("2", 0), "label"),
        (lambda c: c.initialize(4, [0, 1]), "basis state"),
        (lambda c: c.add_classical_register("c", 1), "already"),
        (lambda c: c.add_quantum_register("r", -1), "-1 bits"),
        (lambda c: c.add_variable("v", "text"), "kind"),
        (lambda c: c.add_variable("twice") is c.add_variable("twice"), "already"),
        (lambda c: c.break_loop(), "outside"),
        (lambda c: c.store(0, object()), "expression"),
        (lambda c: c.if_test((5, 1)).__enter__(), "no classical bit 5"),
        (lambda c: Circuit(global_phase=math.inf), "finite"),
    ],
)
def test_what_cant_be_run_is_refused_with_the_reason(wrong: Any, says: str) -> None:
    circuit = Circuit(2, 2)
    with pytest.raises(CircuitError, match=says) as caught:
        wrong(circuit)
    assert isinstance(caught.value, ValueError)


def test_an_unbound_parameter_is_refused() -> None:
    from qiskit.circuit import Parameter

    theta = Parameter("theta")
    with pytest.raises(CircuitError, match="bind"):
        Circuit(1).rx(theta, 0)
    assert steps(Circuit(1).rx(theta.assign(theta, 0.5), 0).to_message())[0][4] == [0.5]


def test_the_other_case_must_follow_its_block() -> None:
    circuit = Circuit(2, 1)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(0)
    circuit.h(1)
    with pytest.raises(CircuitError, match="directly follow"), otherwise:
        circuit.x(1)


def test_a_switch_holds_cases_alone() -> None:
    circuit = Circuit(1, 1)
    with pytest.raises(CircuitError, match="case"), circuit.switch(0):
        circuit.x(0)


def test_metadata_travels_as_far_as_it_is_plain() -> None:
    message = Circuit(metadata={"a": (1, 2), "b": {1, 2}, "c": [{"d": 1j}]}).to_message()
    assert MessageToDict(message.metadata) == {"a": [1.0, 2.0]}
