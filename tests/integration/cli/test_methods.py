"""`basicaer run --method`: what it takes, refuses and tells."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.cli.conftest import Run


def test_a_method_is_followed_and_told(run: Run, tmp_path: Path) -> None:
    text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[40]; creg c[40]; h q[0]; '
    text += " ".join(f"cx q[{qubit}], q[{qubit + 1}];" for qubit in range(39))
    model = tmp_path / "model.json"
    model.write_text(
        '{"channels": [{"pauli": {"paulis": ["X"], "probabilities": [1]}}],'
        ' "rules": [{"operations": ["measure"], "qubits": [3]}]}'
    )
    told = run("run", "-", "--method", "auto", "--noise", str(model), input=f"{text} measure q -> c;")
    assert told.returncode == 0, told.stderr
    assert "method stabilizer: all gates are Clifford gates, so it takes about" in told.stdout
    done = run("run", "-", "--method", "matrix_product_state", "--json", input=f"{text} t q[0];")
    (program,) = json.loads(done.stdout)["programs"]
    assert (program["simulation_method"], program["reason"]) == ("matrix_product_state", "it was asked for")
    assert program["matrix_product_state"]["largest_bond"] == 2
    refused = run("run", "-", "--method", "stabilizer", input=f"{text} t q[0];")
    assert "the method stabilizer can't do this: t, which is no Clifford gate" in refused.stderr
    assert "methods: automatic, statevector, density_matrix" in run("backends", "qasm_simulator").stdout
