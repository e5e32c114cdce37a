"""What came out, as pictures and numbers."""

from __future__ import annotations

import math
import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Picture, program, run
from tests.conftest import ServerProcess
from tests.web import Web

# 2^17 outcomes that are as likely as one another, looked at some 2^19 times.
MANY = "qubit[17] q; bit[17] c; h q; c = measure q;"
STATE = "qubit[3] q; h q[0]; cx q[0], q[1]; ry(pi / 3) q[2]; s q[0];"


def test_a_hundred_thousand_outcomes(
    page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture
) -> None:
    job = run(web, program(MANY, options={"shots": "500000", "seed_simulator": "1"}))
    view = open_page(f"{page_server.http_url}/jobs/{job}")
    told = view.get_by_text(re.compile(r"1[0-9]{2},[0-9]{3} outcomes in 500,000 shots"))
    expect(told).to_be_visible()
    rows = view.locator(".rows-row")
    # Only what is seen is there, wherever one looks: that makes it quick, as `benchmarks page` measures.
    assert 0 < rows.count() < 50
    view.get_by_role("button", name="Outcome").click()
    expect(rows.first).to_contain_text("0" * 16)
    view.get_by_role("button", name="Outcome").click()
    expect(rows.first).to_contain_text("1" * 16)
    assert 0 < rows.count() < 50
    view.locator(".rows-body").evaluate("body => { body.scrollTop = body.scrollHeight; }")
    expect(rows.last).to_contain_text("0" * 16)
    assert 0 < rows.count() < 50
    picture(view, "counts-many")


def test_a_state(page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture) -> None:
    job = run(web, program(STATE, "statevector_simulator"))
    view = open_page(f"{page_server.http_url}/jobs/{job}")
    expect(view.get_by_role("heading", name="Amplitudes")).to_be_visible()
    row = view.locator(".rows-row", has_text="|011⟩")
    expect(row).to_contain_text(f"{math.cos(math.pi / 6) / math.sqrt(2):.4f}")
    expect(row).to_contain_text("0.500 π")
    # Two are entangled with one another, and the third is turned towards x.
    lengths = view.locator("figcaption .number").all_text_contents()
    assert lengths == ["length 0.00", "length 0.00", "length 1.00"]
    expect(view.get_by_role("img", name=re.compile("Qubit 2: x 0.87, .*, z 0.50"))).to_be_visible()
    picture(view, "state")


def test_a_matrix(page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture) -> None:
    spec = program(
        "qubit[3] q; h q[0]; cx q[0], q[1]; t q[1]; cp(pi / 8) q[1], q[2]; h q[2];", "unitary_simulator"
    )
    job = run(web, spec)
    view = open_page(f"{page_server.http_url}/jobs/{job}")
    box = view.get_by_role("group", name=re.compile("Unitary"))
    box.focus()
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowRight")
    expect(view.locator(".matrix-cell")).to_contain_text("⟨001|·|001⟩")
    picture(view, "matrix")


def _sweep() -> dict[str, Any]:
    spec = program("input angle t; qubit[2] q; ry(t) q[0]; cx q[0], q[1];")
    spec["programs"][0] |= {
        "inputs": {"names": ["t"], "values": [step * math.pi / 20 for step in range(41)]},
        "estimation": {
            "observables": [
                {"paulis": ["ZI"], "coefficients": [1.0]},
                {"paulis": ["XX"], "coefficients": [1.0]},
            ]
        },
    }
    return spec


def test_a_sweep(page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture) -> None:
    job = run(web, _sweep())
    view = open_page(f"{page_server.http_url}/jobs/{job}")
    chart = view.get_by_role("img", name=re.compile("2 curves over 41 rows, from -1.000 to 1.000"))
    expect(chart).to_be_visible()
    picture(view, "sweep")


def test_a_density_matrix(
    page_server: ServerProcess, web: Web, open_page: OpenPage, picture: Picture
) -> None:
    spec = {
        "backendName": "qasm_simulator",
        "programs": [
            {
                "circuit": {
                    "numQubits": 2,
                    "operations": [
                        {"name": "h", "numQubits": 1},
                        {"name": "cx", "numQubits": 2},
                        {
                            "name": "save",
                            "numQubits": 2,
                            "save": {"label": "density_matrix", "densityMatrix": {}},
                        },
                    ],
                    "body": {"operations": [0, 1, 2], "qubits": [0, 0, 1, 0, 1]},
                }
            }
        ],
        "options": {
            "method": "SIMULATION_METHOD_DENSITY_MATRIX",
            "noise_model": {
                "channels": [{"depolarizing": {"probability": 0.2, "num_qubits": 2}}],
                "rules": [{"operations": ["cx"]}],
            },
        },
    }
    job = run(web, spec)
    view = open_page(f"{page_server.http_url}/jobs/{job}")
    expect(view.get_by_role("heading", name="Density matrix")).to_be_visible()
    expect(view.locator(".matrix-cell")).to_contain_text("0.4500")
    expect(view.get_by_text("density matrix", exact=True)).to_be_visible()
    expect(view.get_by_role("img", name=re.compile("Qubit 1"))).to_be_visible()
    picture(view, "density-matrix")
