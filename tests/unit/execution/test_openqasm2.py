"""OpenQASM 2: the dialect, and every error with its reason, line and column, wherever it is parsed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from basicaer import simulator as sim
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution import ThreadExecutor
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import ProgramFault, openqasm2
from basicaer.service.parsing.openqasm2 import parse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator

from tests.unit.execution.conftest import Spec

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg c[3];\n'


@pytest.fixture(params=["in the thread", "in a process"], scope="module")
def executor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreadExecutor]:
    """One that parses short texts at once, as it does, and one that gives all of them to its process."""
    made = ThreadExecutor(Config(data_dir=tmp_path_factory.mktemp("data"), validation_workers=1))
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "in a process":
            patch.setattr(openqasm2, "_SHORT", -1)
        yield made
    made.close()


def matrix(text: str) -> NDArray[np.complex64 | np.complex128]:
    return sim.unitary(to_simulator(parse(text, max_bytes=1 << 20, max_instructions=100_000)))


def refused(executor: ThreadExecutor, make_spec: Spec, text: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        executor.prepare(make_spec(HEAD + "h q[0];\n", HEAD + text))
    return caught.value


# --- The dialect ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**31))
def test_exported_circuits_have_qiskits_matrix(qubits: int, depth: int, seed: int) -> None:
    text = qasm2.dumps(random_circuit(qubits, depth, max_operands=min(qubits, 3), seed=seed))
    np.testing.assert_allclose(matrix(text), Operator(QuantumCircuit.from_qasm_str(text)).data, atol=1e-9)


@pytest.mark.parametrize("name", sorted(custom.name for custom in qasm2.LEGACY_CUSTOM_INSTRUCTIONS))
def test_every_gate_that_qiskit_accepts(name: str) -> None:
    custom = next(custom for custom in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if custom.name == name)
    if name == "delay":
        pytest.skip("declared by the program; see below")
    # u0 takes whole numbers alone.
    parameters = ",".join(
        str(place + 1 if name == "u0" else 0.3 * (place + 1)) for place in range(custom.num_params)
    )
    operands = ",".join(f"q[{qubit}]" for qubit in range(custom.num_qubits))
    text = (
        f'OPENQASM 2.0; include "qelib1.inc"; qreg q[{custom.num_qubits}]; {name}({parameters}) {operands};'
    )
    np.testing.assert_allclose(matrix(text), Operator(QuantumCircuit.from_qasm_str(text)).data, atol=1e-9)


def test_functions_broadcasts_and_definitions() -> None:
    text = HEAD + (
        "gate two(a,b) x,y { rx(sin(a)^2) x; cx x,y; barrier x,y; u1(-b/2+acos(0.3)) y; }\n"
        "h q; two(pi/3, ln(2)) q[0],q[2]; cx q[0],q[1]; barrier q;"
    )
    np.testing.assert_allclose(matrix(text), Operator(QuantumCircuit.from_qasm_str(text)).data, atol=1e-9)


def test_a_delay_has_no_effect() -> None:
    assert np.allclose(matrix("OPENQASM 2.0; opaque delay(t) a; qreg q[1]; delay(100) q[0];"), np.eye(2))


def test_an_equal_definition_of_qiskits_gate_is_qiskits_gate() -> None:
    text = HEAD + "gate rzz(t) a,b { cx a,b; u1(t) b; cx a,b; }\nrzz(0.3) q[0],q[1];"
    circuit = parse(text, max_bytes=1 << 20, max_instructions=100)
    assert [operation.name for operation in circuit.operations] == ["rzz"]


def test_another_definition_under_the_name_of_qiskits_gate_holds() -> None:
    text = "OPENQASM 2.0;\ngate swap a,b { U(pi,0,pi) a; }\nqreg q[2];\nswap q[0],q[1];"
    expected = np.kron(np.eye(2), [[0, 1], [1, 0]])
    np.testing.assert_allclose(matrix(text), expected, atol=1e-12)


def test_a_definition_of_u0_holds() -> None:
    text = "OPENQASM 2.0;\ngate u0(t) a { U(0,0,t) a; }\nqreg q[1];\nu0(0.5) q[0];"
    np.testing.assert_allclose(matrix(text), np.diag([1, np.exp(0.5j)]), atol=1e-12)


def test_a_definition_of_an_exponential_size_is_not_expanded_to_be_compared() -> None:
    levels = "".join(f"gate g{i} a {{ {f'g{i - 1} a; ' * 10} }}\n" for i in range(1, 10))
    text = f"OPENQASM 2.0;\ngate g0 a {{ U(0,0,1) a; }}\n{levels}gate p(x) a {{ g9 a; }}\nqreg q[1];\n"
    assert len(parse(text, max_bytes=1 << 20, max_instructions=100).body.operations) == 0


def test_conditions() -> None:
    circuit = parse(
        HEAD + "x q[0]; measure q -> c; if (c==1) x q[1]; if (c==2) x q[2]; measure q -> c;",
        max_bytes=1 << 20,
        max_instructions=100,
    )
    result = sim.run(to_simulator(circuit), shots=10)
    assert result.outcomes.tolist() == [[0b011]]


def test_the_name_is_empty_so_that_equal_texts_give_equal_messages() -> None:
    first, second = (parse(HEAD, max_bytes=1 << 20, max_instructions=100) for _ in range(2))
    assert first == second
    assert first.name == ""


# --- Faults with a place ----------------------------------------------------------------------------------

FAULTS = [
    ("cxx q[0],q[1];", 5, 1, "did you mean 'cx'"),
    ("h q[0]\nx q[1];", 6, 1, "needed ';'"),
    ("h q[0]; h q[7];", 5, 13, "out-of-range"),
    ("x q[0];\n  cx q[1],q[1];", 6, 3, "duplicate qubits"),
    ("rx() q[0];", 5, 1, "takes 1 parameter"),
    ("rx(1/0) q[0];", 5, 5, "divide by zero"),
    ("rx(sqrt(-1)) q[0];", 5, 4, "sqrt"),
    ("x q[0];\nrx(asin(3)) q[1];", 6, 1, "nan"),
    ("h q;\nrx(1e999) q[1];", 6, 1, "inf"),
    ("h q;\nrx q[1];", 6, 1, "'rx' is called without its parameters"),
    ("gate g(a) b { rx(a) b; }\nh q; g q[1];", 6, 6, "without its parameters"),
    ("gate g(a) b { ry(1/a) b; }\nh q;\n\n g(0) q[1];", 8, 2, "divide by zero"),
    ("opaque thing a;\nthing q[0];", 6, 1, "'thing'"),
    ('include "/etc/passwd";', 5, 9, 'only include "qelib1.inc"'),
    ("opaque delay(t) a; delay(1.5) q[0];", 5, 20, "integer"),
    ("measure q[0] -> c;", 5, 1, "broadcast"),
    ("qreg q[2];", 5, 6, "already defined"),
    ("// café\nh é;", 6, 3, "non-ASCII"),
    ("h q[0]", 5, 1, "end-of-file"),
    ('"', 5, 1, "end-of-file"),
    ("if (c==1) h q[9];", 5, 15, "out-of-range"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), FAULTS)
def test_a_fault_has_its_line_and_column(
    executor: ThreadExecutor, make_spec: Spec, text: str, line: int, column: int, words: str
) -> None:
    error = refused(executor, make_spec, text)
    assert error.reason_name == "PROGRAM_INVALID"
    assert error.field == "programs[1].openqasm2"
    assert words in error.message
    assert error.metadata["program_index"] == "1"
    assert (error.metadata["line"], error.metadata["column"]) == (str(line), str(column))
    assert f"line {line}, column {column}" in error.message


def test_a_fault_shows_the_line_with_a_caret(executor: ThreadExecutor, make_spec: Spec) -> None:
    lines = refused(executor, make_spec, "x q[0];\n\tcx q[1], q[9];").message.splitlines()
    assert lines[-2:] == ["   cx q[1], q[9];", "  " + " " * 12 + "^"]


def test_a_long_line_is_cut_around_the_fault(executor: ThreadExecutor, make_spec: Spec) -> None:
    lines = refused(
        executor, make_spec, "x q[0]; " * 500 + "y q[9]; " + "x q[0]; " * 500
    ).message.splitlines()
    assert len(lines[-2]) <= 80
    assert lines[-2][lines[-1].index("^")] == "9"


@pytest.mark.parametrize("text", ["h q[0];", "OPENQASM 2.0;\nqreg q[1];\nh q[0];"])
def test_gates_without_their_include(executor: ThreadExecutor, make_spec: Spec, text: str) -> None:
    with pytest.raises(ServiceError, match="include") as caught:
        executor.prepare(make_spec(text))
    assert "line" in caught.value.metadata


def test_openqasm3_is_refused_with_a_hint(executor: ThreadExecutor, make_spec: Spec) -> None:
    with pytest.raises(ServiceError, match=r"OpenQASM 2\.0") as caught:
        executor.prepare(make_spec("OPENQASM 3.0;\nqubit q;"))
    assert caught.value.metadata["line"] == "1"


def test_no_file_is_read(
    executor: ThreadExecutor, make_spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.inc").write_text("gate other a { U(0,0,0) a; }")
    monkeypatch.chdir(tmp_path)
    for name in ("other.inc", str(tmp_path / "other.inc"), "./other.inc"):
        error = refused(executor, make_spec, f'include "{name}";')
        assert "include search path" in error.message


# --- Limits -----------------------------------------------------------------------------------------------


def nested_gates(levels: int, width: int, argument: str = "") -> str:
    def body(level: int) -> str:
        return " ".join(f"g{level - 1}(x{argument * turn}) a;" for turn in range(width))

    gates = "".join(f"gate g{level}(x) a {{ {body(level)} }}\n" for level in range(1, levels + 1))
    return f"gate g0(x) a {{ rx(x) a; }}\n{gates}g{levels}(1) q[0];"


@pytest.mark.parametrize("argument", ["", "+0.5"])
def test_definitions_that_expand_to_a_billion_gates_are_refused_at_once(
    executor: ThreadExecutor, make_spec: Spec, argument: str
) -> None:
    started = time.process_time()
    error = refused(executor, make_spec, nested_gates(9, 10, argument))
    assert error.reason_name == "PROGRAM_TOO_LARGE"
    assert error.metadata["limit"] == "max_instructions"
    assert int(error.metadata["actual"]) >= 10**9
    assert time.process_time() - started < 10.0  # hours, if it were expanded


def test_a_deep_chain_of_definitions_is_refused(executor: ThreadExecutor, make_spec: Spec) -> None:
    error = refused(executor, make_spec, nested_gates(300, 1))
    assert error.reason_name == "PROGRAM_TOO_LARGE"
    assert error.metadata["limit"] == "max_nesting"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("qreg r[1000000000];", 5, 1),
        ("creg r[1000000000];", 5, 1),
        ("x q[0]; qreg r[99999999999999999999999];", 5, 16),
        ("x q[99999999999999999999999];", 5, 5),
        ("qreg a[60000];\nqreg b[60000];", 6, 1),
    ],
)
def test_huge_registers_are_refused_before_anything_is_made(
    executor: ThreadExecutor, make_spec: Spec, text: str, line: int, column: int
) -> None:
    error = refused(executor, make_spec, text)
    assert error.reason_name == "PROGRAM_TOO_LARGE"
    assert error.metadata["limit"] == "max_bits"
    assert error.metadata["line"] == str(line)
    assert abs(int(error.metadata["column"]) - column) <= 7


@pytest.mark.parametrize("name", ["gateway", "barriers", "qregs", "includes"])
def test_gates_that_are_called_like_a_statement_count_too(name: str) -> None:
    text = f"{HEAD}qreg large[60000];\ngate {name} a {{ h a; }}\n" + f"{name} large;" * 2
    with pytest.raises(ProgramFault, match="more than 100,000 instructions") as caught:
        parse(text, max_bytes=1 << 20, max_instructions=100_000)
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.column) == (7, len(f"{name} large;") + 1)


@pytest.mark.parametrize(
    ("text", "column"),
    [("é x q[0];", 1), ("x q[0]; // é \u2028 \x0b \r\nh q[0]; é", 9), ("x q[0];\x0c", 8)],
)
def test_lines_and_columns_are_those_of_an_editor(text: str, column: int) -> None:
    """Lines end at newlines alone, and columns count characters."""
    with pytest.raises(ProgramFault) as caught:
        parse(HEAD + text, max_bytes=1 << 20, max_instructions=10)
    where = caught.value.where
    assert where is not None
    lines = (HEAD + text).split("\n")
    assert (where.line, where.column) == (len(lines), column)
    assert where.excerpt == f"\n  {lines[-1].rstrip()}\n  {' ' * (column - 1)}^"


def test_a_register_in_a_comment_or_a_file_name_counts_for_nothing(
    executor: ThreadExecutor, make_spec: Spec
) -> None:
    executor.prepare(make_spec(HEAD + "// qreg r[1000000000];\nh q[0]; // x q[99999999999999]"))


@pytest.mark.parametrize("kind", ["(", "-", "1+", "1^", "sin("])
def test_expressions_that_would_exhaust_the_stack_are_refused(
    executor: ThreadExecutor, make_spec: Spec, kind: str
) -> None:
    closing = ")" * 100_000 if kind.endswith("(") else ""
    error = refused(executor, make_spec, f"gate g(x) a {{ rx({kind * 100_000}x{closing}) a; }}")
    assert error.reason_name == "PROGRAM_TOO_LARGE"
    assert error.metadata["line"] == "5"


def test_long_statements_without_expressions_are_fine(executor: ThreadExecutor, make_spec: Spec) -> None:
    everything = ",".join(f"r[{bit}]" for bit in range(1000))
    executor.prepare(make_spec(HEAD + f"qreg r[1000]; barrier {everything};"))


def test_whole_registers_count_as_many_times_as_they_have_bits() -> None:
    text = 'include "qelib1.inc"; qreg a[100]; qreg b[2]; ' + "h a; rx(2*pi) a; x b[0]; barrier a;" * 10
    assert len(parse(text, max_bytes=1 << 20, max_instructions=2020).body.operations) == 2020
    with pytest.raises(ProgramFault, match="more than 2,009 instructions") as caught:
        parse(text, max_bytes=1 << 20, max_instructions=2009)
    assert caught.value.metadata["limit"] == "max_instructions"


def test_a_long_text_is_refused() -> None:
    with pytest.raises(ProgramFault, match="1,001 bytes") as caught:
        parse("x" * 1001, max_bytes=1000, max_instructions=10)
    assert caught.value.metadata == {"limit": "max_program_bytes", "max": "1000", "actual": "1001"}


def test_bytes_are_counted_and_not_characters() -> None:
    parse("//" + "é" * 499, max_bytes=1000, max_instructions=10)
    with pytest.raises(Exception, match="1,002 bytes"):
        parse("//" + "é" * 500, max_bytes=1000, max_instructions=10)


# --- Whatever else ----------------------------------------------------------------------------------------

TOKENS = [
    "h",
    "cx",
    "q",
    "q[0]",
    "q[1]",
    "c",
    ";",
    ";\n",
    ",",
    "(",
    ")",
    "{",
    "}",
    "gate",
    "g",
    "if",
    "==",
    "1",
]
TOKENS += [
    "measure",
    "->",
    "reset",
    "barrier",
    "opaque",
    "qreg",
    "r[2]",
    "pi",
    "-",
    "/",
    "//",
    '"',
    "rx",
    "é",
    "\x00",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=25))
def test_any_text_is_parsed_or_refused_with_a_place(tokens: list[str]) -> None:
    try:
        parse(HEAD + " ".join(tokens), max_bytes=1 << 20, max_instructions=1000)
    except ProgramFault as fault:
        place = fault.where
    else:
        return
    assert place is not None
    assert place.line >= 1
    assert place.column >= 1


# --- Nothing to do ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\ufeff", "// h q[0];\r\n", HEAD.partition("qreg")[0], "creg c[2];"])
@pytest.mark.parametrize("backend", ["qasm_simulator", "statevector_simulator", "unitary_simulator"])
def test_a_text_without_qubits_is_told_that_it_does_nothing(
    executor: ThreadExecutor, make_spec: Spec, text: str, backend: str
) -> None:
    with pytest.raises(ServiceError, match="no statement that does something") as caught:
        executor.prepare(make_spec(text, backend=backend))
    assert caught.value.reason_name == "PROGRAM_INVALID"
    assert caught.value.field == "programs[0].openqasm2"


@pytest.mark.parametrize("text", [HEAD, HEAD + "gate own a { h a; }\n// own q[0];", HEAD + ";;"])
def test_declarations_alone_give_a_state_but_no_counts(
    executor: ThreadExecutor, make_spec: Spec, text: str
) -> None:
    with pytest.raises(ServiceError, match="qasm_simulator has nothing to count") as caught:
        executor.prepare(make_spec(text))
    assert caught.value.reason_name == "PROGRAM_INVALID"
    executor.prepare(make_spec(text, backend="statevector_simulator"))
    executor.prepare(make_spec(text, backend="unitary_simulator"))
