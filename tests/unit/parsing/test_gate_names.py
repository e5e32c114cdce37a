"""A gate that a text defines is what it says, whatever it is called."""

from __future__ import annotations

import keyword
import math
from typing import Any

import numpy as np
import pytest
from basicaer.client.conversion._operations import _CORE, GATE_SHAPES
from basicaer.service.parsing import ProgramFault, TakesLongError
from basicaer.service.parsing.openqasm2 import parse_at_once
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

LEGACY = {custom.name: custom for custom in qasm2.LEGACY_CUSTOM_INSTRUCTIONS}
# What qelib1.inc defines for Qiskit's parser.
QELIB1 = (
    "u3 u2 u1 cx id x y z h s sdg t tdg rx ry rz cz cy ch ccx crz cu1 cu3".split()  # noqa: SIM905 - read more easily
)
RESERVED = {
    *("barrier", "creg", "gate", "if", "include", "measure", "opaque", "pi", "qreg", "reset"),
    *("cos", "exp", "ln", "sin", "sqrt", "tan"),
}
NAMES = sorted(
    {
        *LEGACY,
        *GATE_SHAPES,
        *_CORE,
        *get_standard_gate_name_mapping(),
        *(name.lower() for name in keyword.kwlist),
        *(name for name in vars(QuantumCircuit) if name.isidentifier() and name[0] != "_"),
        *("acos", "asin", "atan", "annotated", "circuit", "isometry", "kraus", "mcx", "pauli", "permutation"),
        *("pauli_product_measurement", "pauli_product_rotation", "save", "save_statevector", "snapshot"),
        *("state_preparation", "superop", "tau", "qubit", "bit", "q", "c", "gphase", "ctrl", "inv", "pow"),
    }
    - RESERVED
)
UNLIKELY = "zz9yy8"
SIGNATURES = [(params, qubits) for params in range(5) for qubits in range(1, 6)]
KINDS = ("one", "nested", "empty", "standard")


def text_of(
    name: str, params: int, qubits: int, *, included: bool = True, kind: str = "one", condition: str = ""
) -> str:
    arguments = [f"a{number}" for number in range(params)]
    operands = [f"b{number}" for number in range(qubits)]
    first, last = operands[0], operands[-1]
    body = f"U({arguments[0] if params else 0.3},{arguments[-1] if params else 0.2}*2,0.1) {last};"
    if qubits > 1:
        body += f" CX {last},{first};"
    head = f"({','.join(arguments)})" if params else ""
    values = f"({','.join(f'{0.4 - 0.9 * number}' for number in range(params))})" if params else ""
    bodies = {
        "one": body,
        "empty": "",
        "nested": body,
        "standard": f"h {first}; {body}" if included else body,
    }
    lines = ["OPENQASM 2.0;", *(['include "qelib1.inc";'] if included else [])]
    lines += [f"gate {name}{head} {','.join(operands)} {{ {bodies[kind]} }}"]
    used = name
    if kind == "nested":
        used = "outer_gate"
        inner = f"{name}{head} {','.join(operands)};"
        lines += [f"gate {used}{head} {','.join(operands)} {{ {inner} {inner} }}"]
    lines += ["qreg zq[5]; creg zc[1];", "U(0.5,0,0.4) zq;", f"{condition}{used}{values} "]
    return "\n".join(lines) + ",".join(f"zq[{number}]" for number in range(qubits)) + ";"


def check_means_the_same(unitary: Any, refused: Any, name: str, params: int, qubits: int, **how: Any) -> None:
    text = text_of(name, params, qubits, **how)
    if name in QELIB1 and how.get("included", True):
        fault = refused(text)
        assert f"{name!r} is already defined: qelib1.inc has it" in fault.message
        assert fault.where is not None
        assert (fault.where.line, fault.where.column) == (3, 1)
        return
    expected = unitary(text_of(UNLIKELY, params, qubits, **how))
    found = unitary(text)
    overlap = np.vdot(found, expected) / len(expected)
    assert abs(abs(overlap) - 1.0) < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_of_any_name_is_as_it_is_defined(unitary: Any, refused: Any, name: str) -> None:
    shape = (LEGACY[name].num_params, LEGACY[name].num_qubits) if name in LEGACY else (1, 1)
    for params, qubits in dict.fromkeys([shape, (0, 1), (1, 1), (0, 2), (2, 3)]):
        for included in (False, True):
            check_means_the_same(unitary, refused, name, params, qubits, included=included)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NAMES), st.sampled_from(SIGNATURES), st.booleans(), st.sampled_from(KINDS)
)  # also those that the test above leaves out
def test_a_gate_of_any_name_signature_and_body_is_as_it_is_defined(
    unitary: Any, refused: Any, name: str, signature: tuple[int, int], included: bool, kind: str
) -> None:
    check_means_the_same(unitary, refused, name, *signature, included=included, kind=kind)


@pytest.mark.parametrize("name", ["store", "unitary", "initialize", "delay", "cu", "p", "if_else", "save"])
def test_a_gate_of_any_name_can_have_a_condition(circuit: Any, name: str) -> None:
    found, expected = (
        circuit(text_of(each, 1, 1, condition="if (zc==0) ", included=True)) for each in (name, UNLIKELY)
    )
    assert found == expected


@pytest.mark.parametrize("name", [name for name in NAMES if name not in QELIB1])
def test_registers_of_any_name(circuit: Any, name: str) -> None:
    text = 'include "qelib1.inc"; qreg {}[2]; creg zc[2]; h {}[0]; cx {}[0],{}[1]; measure {} -> zc;'
    found, expected = circuit(text.replace("{}", name)), circuit(text.replace("{}", UNLIKELY))
    assert found.quantum_registers[0].name == name
    assert (found.operations, found.body) == (expected.operations, expected.body)


@pytest.mark.parametrize("name", ["acos", "store", "u", "p", "if", "h"])
def test_parameters_and_qubits_of_any_name(unitary: Any, refused: Any, name: str) -> None:
    text = 'include "qelib1.inc"; gate g({0}) b {{ rx({0}) b; }} gate k {0} {{ h {0}; }} '
    text = text.format(name) + "qreg zq[1]; g(0.3) zq[0]; k zq[0];"
    if name == "if":
        assert refused(text).where.line == 1
        return
    np.testing.assert_allclose(unitary(text), unitary(text.replace(f"({name})", "(z9)")), atol=1e-12)


@pytest.mark.parametrize("name", ["store", "unitary", "initialize", "save_statevector", "measure_all", "foo"])
@pytest.mark.parametrize("params", [0, 1, 2])
def test_an_opaque_gate_of_any_name_is_refused_where_it_is_used(
    refused: Any, circuit: Any, name: str, params: int
) -> None:
    head = f"({','.join('abc'[:params])})" if params else ""
    call = f"({','.join('123'[:params])})" if params else ""
    text = f"opaque {name}{head} q;\nqreg zq[1];\nU(1,2,3) zq[0];\n"
    circuit(text)
    fault = refused(f"{text}  {name}{call} zq[0];")
    assert (fault.where.line, fault.where.column) == (4, 3)
    assert f"the service doesn't know {name!r}" in fault.message


def test_an_opaque_gate_of_another_shape_than_qiskits_may_be_declared(circuit: Any) -> None:
    assert [each.name for each in circuit("opaque cu a; qreg q[1]; U(1,2,3) q[0];").operations] == ["u"]


@pytest.mark.parametrize(
    ("own", "angle"),
    [
        ("gate rx(t) a { U(sqrt(t^2),-pi/2,pi/2) a; }", -1.0),
        ("gate p(t) a { U(0,0,asin(sin(t))) a; }", 2.0),
        ("gate p(t) a { U(0,0,0.7390851) a; }", 0.5),
        ("gate cp(t) a,b { U(0,0,t/2) a; CX a,b; U(0,0,-t/2) b; CX a,b; U(0,0,t/2) b; }", 7.0),
        ("gate crz(t) a,b { U(0,0,t/2) b; CX a,b; U(0,0,-t/2) b; CX a,b; }", 11.0),
    ],
)
def test_a_definition_that_equals_qiskits_in_part_holds(unitary: Any, own: str, angle: float) -> None:
    name = own.split("(")[0].split()[1]
    operands = "q[0],q[1]" if ",b" in own else "q[0]"
    text = f"OPENQASM 2.0;\n{own}\nqreg q[2];\n{name}({angle}) {operands};"
    expected = unitary(text.replace(f"gate {name}", "gate zz9").replace(f"\n{name}(", "\nzz9("))
    overlap = np.vdot(unitary(text), expected) / len(expected)
    assert abs(abs(overlap) - 1.0) < 1e-9


def test_a_definition_that_is_too_large_to_be_compared_holds(refused: Any) -> None:
    levels = "".join(f"gate g{i} a {{ {f'g{i - 1} a; ' * 10} }}\n" for i in range(1, 7))
    text = f"OPENQASM 2.0;\ngate g0 a {{ U(0,0,1) a; }}\n{levels}gate sx a {{ g6 a; }}\nqreg q[1];\nsx q[0];"
    assert refused(text).metadata["limit"] == "max_instructions"


def test_a_gate_of_another_signature_needs_no_process() -> None:
    text = "gate cu c,t { CX c,t; } qreg q[2]; cu q[0],q[1];"
    found = parse_at_once(text, max_bytes=1000, max_instructions=10)
    assert [operation.name for operation in found.operations] == ["cx"]
    with pytest.raises(TakesLongError):
        parse_at_once("gate sx a { U(1,2,3) a; } qreg q[1];", max_bytes=1000, max_instructions=10)


@pytest.mark.parametrize(
    "text",
    [
        "gate swap a,b { swap a,b; }",
        "creg c[2];\ngate g(t) a { U(c,0,0) a; }",
        'include "qelib1.inc";\nqreg q[1];\nrx(t) q[0];',
        "gate g a { U(0,0,0) a; }\nqreg q[1];\nU(g,0,0) q[0];",
    ],
)
def test_a_name_is_not_taken_for_itself(refused: Any, text: str) -> None:
    assert "did you mean" not in refused(text).message


@pytest.mark.parametrize("builtin", ["U", "CX"])
def test_what_openqasm_itself_has_can_not_be_defined(refused: Any, builtin: str) -> None:
    fault = refused(f"qreg q[2];\n gate {builtin} a {{ }}")
    assert f"{builtin!r} is already defined: it is a part of OpenQASM 2" in fault.message
    assert (fault.where.line, fault.where.column) == (2, 2)


def test_a_gate_that_is_used_before_its_definition(refused: Any) -> None:
    fault = refused("qreg q[2];\nswap q[0],q[1];\n\ngate swap a,b { CX a,b; }")
    assert fault.message == "'swap' is not defined in this scope; it is defined later, in line 4"
    assert (fault.where.line, fault.where.column) == (2, 1)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("p q[0]", "p"),
        ("u0 q[0]", "u0"),
        ("cp q[0],q[1]", "cp"),
        ("U q[0]", "U"),
        ("u q[0]", "u"),
        ("u2 q", "u2"),
    ],
)
def test_a_gate_without_its_parameters_is_called_by_its_name(refused: Any, call: str, name: str) -> None:
    fault = refused(f'include "qelib1.inc"; qreg q[2];\n{call};')
    assert fault.message == f"the gate {name!r} is called without its parameters"
    assert (fault.where.line, fault.where.column) == (2, 1)


@pytest.mark.parametrize(
    "error", [IndexError("no such"), KeyError("k"), AttributeError("a"), OverflowError("o")]
)
@pytest.mark.parametrize("at", ["loads", "circuit_to_proto"])
def test_whatever_qiskit_raises_is_a_fault_with_a_place(
    monkeypatch: pytest.MonkeyPatch, circuit: Any, error: Exception, at: str
) -> None:
    import basicaer.service.parsing.openqasm2 as module

    original = getattr(module, at)

    def fail(code: Any, *rest: Any, **options: Any) -> Any:
        broken = "odd" in code if isinstance(code, str) else "odd" in {each.name for each in code.qregs}
        if broken:
            raise error
        return original(code, *rest, **options)

    monkeypatch.setattr(module, at, fail)
    with pytest.raises(ProgramFault) as caught:
        circuit("qreg q[1];\nU(1,2,3) q[0];\n qreg odd[1];\nU(1,2,3) q[0];")
    where = caught.value.where
    assert where is not None
    assert (where.line, where.column) == (3, 2)
    assert str(error.args[0]) in caught.value.message


# --- hqslib1.inc --------------------------------------------------------------------------------------------

# What Quantinuum documents: its two native gates, and what it makes of them.
HQS_GATES = {
    "Rz(0.7) q[0]": "gate it a { U(0,0,0.7) a; } it q[0]",
    "U1q(0.7,-1.9) q[0]": "gate it a { U(0.7,-1.9-pi/2,pi/2+1.9) a; } it q[0]",
    "ZZ q[0],q[1]": "gate it a,b { CX a,b; U(0,0,pi/2) b; CX a,b; } it q[0],q[1]",
    "ZZ() q[1],q[0]": "gate it a,b { CX a,b; U(0,0,pi/2) b; CX a,b; } it q[0],q[1]",
    "RZZ(0.7) q[0],q[1]": "gate it a,b { CX a,b; U(0,0,0.7) b; CX a,b; } it q[0],q[1]",
    "Rxxyyzz(0.7,-0.2,1.1) q[0],q[1]": "rxx(0.7) q[0],q[1]; ryy(-0.2) q[0],q[1]; rzz(1.1) q[0],q[1]",
    "cs q[0],q[1]": "cu1(pi/2) q[0],q[1]",
    "csdg q[0],q[1]": "cu1(-pi/2) q[0],q[1]",
    "cu3(0.7,-1.9,2.3) q[0],q[1]": "u1(2.1) q[1]; cx q[0],q[1]; u3(-0.35,0,-0.2) q[1]; cx q[0],q[1]; "
    "u3(0.35,-1.9,0) q[1]",
    "c3sqrtx q[0],q[1],q[2],q[3]": "h q[3]; c3z_third q[0],q[1],q[2],q[3]; h q[3]",
    "h q[0]; cx q[0],q[1]; rzz(0.3) q[1],q[2]; sx q[3]": "h q[0]; cx q[0],q[1]; rzz(0.3) q[1],q[2]; sx q[3]",
}


def equivalent(text: str) -> Any:
    """The matrix of a text in Qiskit's dialect, with two gates more."""
    circuit = QuantumCircuit(4)
    if "c3z_third" in text:
        matrix = np.eye(16, dtype=complex)
        matrix[15, 15] = np.exp(-0.5j * math.pi)
        circuit.h(3)
        circuit.unitary(matrix, range(4))
        circuit.h(3)
    elif "ryy" in text:
        circuit.rxx(0.7, 0, 1)
        circuit.ryy(-0.2, 0, 1)
        circuit.rzz(1.1, 0, 1)
    else:
        circuit = QuantumCircuit.from_qasm_str(f'include "qelib1.inc"; qreg q[4]; {text};')
    return Operator(circuit).data


@pytest.mark.parametrize("gates", HQS_GATES)
@pytest.mark.parametrize("file", ['"hqslib1.inc"', "'./hqslib1.inc'"])
def test_the_gates_of_hqslib1(unitary: Any, gates: str, file: str) -> None:
    found = unitary(f"OPENQASM 2.0;\ninclude {file};\nqreg q[4];\n{gates};")
    overlap = np.vdot(found, equivalent(HQS_GATES[gates])) / 16
    assert abs(abs(overlap) - 1.0) < 1e-9


def test_faults_of_hqslib1_are_in_its_names(refused: Any) -> None:
    head = 'include "hqslib1.inc"; // U1q a00\nqreg a0[2];\n'
    fault = refused(f"{head}U1q(0.5) a0[0];")
    assert fault.message == "'U1q' takes 2 parameters, but got 1"
    assert (fault.where.line, fault.where.column) == (3, 1)
    assert fault.where.excerpt == "\n  U1q(0.5) a0[0];\n  ^"
    assert "these are known: Rxxyyzz, RZZ, Rz, U1q, ZZ" in refused(f"{head}Rother(1) a0[0];").message


def test_names_of_hqslib1_need_it(refused: Any) -> None:
    fault = refused('include "qelib1.inc"; // "hqslib1.inc"\nqreg q[1]; U1q(1,2) q[0];')
    assert "cannot start with capital letters" in fault.message
    assert (fault.where.line, fault.where.column) == (2, 12)
