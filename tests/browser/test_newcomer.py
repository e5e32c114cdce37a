"""A newcomer's path: open the page, take an example, make a mistake, run it, look at what came out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Picture
from tests.conftest import ServerProcess


def test_from_nothing_to_a_histogram(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture, tmp_path: Path
) -> None:
    view = open_page(page_server.http_url)
    view.get_by_role("link", name="Write a circuit").click()
    editor = view.get_by_role("textbox", name="Program")
    expect(view.get_by_role("status")).to_have_text("valid")
    expect(view.get_by_role("img", name=re.compile("A circuit of 2 qubits"))).to_be_visible()

    # A mistake is told at its line and column, and mended.
    editor.click()
    view.keyboard.press("Control+End")
    view.keyboard.type("hh q[0];")
    mistake = view.get_by_role("button", name=re.compile("10:1.*the gate 'hh' isn't declared"))
    expect(mistake).to_be_visible()
    expect(view.locator(".cm-lintRange-error")).to_have_text("hh")
    expect(view.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    picture(view, "write-mistake")
    mistake.click()
    view.keyboard.press("Delete")
    expect(view.get_by_role("status")).to_have_text("valid")

    view.get_by_label("Shots").fill("500")
    view.get_by_label("Seed simulator").fill("7")
    view.get_by_label("Labels").fill("experiment=first")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.get_by_role("button", name="Run", exact=True).click()

    expect(view.get_by_role("heading", name="Counts")).to_be_visible()
    expect(view.get_by_text("outcomes in 500 shots")).to_be_visible()
    expect(view.locator(".events .status")).to_have_text(["queued", "running", "done"])
    with view.expect_download() as found:
        view.get_by_role("button", name="CSV").click()
    found.value.save_as(tmp_path / "counts.csv")
    rows = dict(line.split(",") for line in (tmp_path / "counts.csv").read_text().split()[1:])
    assert sum(map(int, rows.values())) == 500
    with view.expect_download() as found:
        view.get_by_role("button", name="npz").click()
    found.value.save_as(tmp_path / "result.npz")
    with np.load(tmp_path / "result.npz") as arrays:
        names = [f"{outcome:02b}" for outcome in arrays["outcomes"]]
        assert dict(zip(names, map(str, arrays["counts"]), strict=True)) == rows
    with view.expect_download() as found:
        view.get_by_role("button", name="JSON").click()
    found.value.save_as(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["programs"][0]["shots"] == "500"
    with view.expect_download() as found:
        view.get_by_role("button", name="SVG").click()
    found.value.save_as(tmp_path / "counts.svg")
    assert (tmp_path / "counts.svg").read_text().startswith("<svg ")

    view.get_by_role("button", name="Run again").click()
    expect(view.get_by_text("outcomes in 500 shots")).to_be_visible()
    view.get_by_role("link", name="Jobs").click()
    expect(view.locator("tbody tr", has_text="experiment")).to_have_count(2)
    view.get_by_label("Label", exact=True).fill("experiment=none")
    expect(view.get_by_text("No job is like that.")).to_be_visible()


@pytest.mark.parametrize(
    ("example", "shown"),
    [
        ("GHZ state, its amplitudes", "Amplitudes"),
        ("Teleportation, with corrections", "Counts"),
        ("Repeat until success", "Counts"),
        ("Grover's search (OpenQASM 2)", "Counts"),
        ("Quantum Fourier transform, as a matrix", "Unitary"),
    ],
)
def test_every_example_runs(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture, example: str, shown: str
) -> None:
    view = open_page(f"{page_server.http_url}/write")
    expect(view.locator(".cm-content")).to_be_visible()
    view.get_by_label("Example").select_option(example)
    expect(view.get_by_role("status")).to_have_text("valid")
    expect(view.get_by_role("img", name=re.compile("A circuit of"))).to_be_visible()
    picture(view, f"example-{re.sub(r'[^a-z]+', '-', example.lower()).strip('-')}")
    view.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_role("heading", name=shown)).to_be_visible()


def test_options_noise_and_the_same_by_programs(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture, tmp_path: Path
) -> None:
    view = open_page(f"{page_server.http_url}/write")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.get_by_label("Method").select_option("density matrix")
    view.get_by_label("Noise").fill("0.5")
    view.get_by_text("More options").click()
    view.get_by_label("Max run time").fill("20")
    view.get_by_label("Precision").select_option("single")
    view.get_by_label("Shots").fill("many")
    expect(view.get_by_role("alert")).to_contain_text("shots")
    view.get_by_label("Shots").fill("2000")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_text("4 outcomes in 2,000 shots")).to_be_visible()
    expect(view.get_by_text("density matrix", exact=True).first).to_be_visible()
    expect(view.get_by_text("depolarizing, 0.5 after each gate on two qubits")).to_be_visible()
    picture(view, "noise")
    _every_program_runs(view, tmp_path)


def test_bounds_of_a_matrix_product_state(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture, tmp_path: Path
) -> None:
    view = open_page(f"{page_server.http_url}/write")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.get_by_label("Method").select_option("matrix product state")
    view.get_by_text("More options").click()
    view.get_by_label("Max bond dimension").fill("-1")
    expect(view.get_by_role("alert")).to_be_visible()
    view.get_by_label("Max bond dimension").fill("1")
    view.get_by_label("Truncation threshold").fill("1e-9")
    expect(view.get_by_role("status")).to_have_text("valid")
    picture(view, "write-bounds")
    view.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_role("heading", name="Counts")).to_be_visible()
    expect(view.get_by_text("max bond dimension 1, truncation threshold 1e-9")).to_be_visible()
    # A Bell pair needs two values for its bond, so a half of it was cut.
    expect(view.locator(".fact", has_text="Estimated fidelity")).to_contain_text("0.5")
    picture(view, "bounds")
    _every_program_runs(view, tmp_path)


def test_a_state_to_begin_with(
    page_server: ServerProcess, open_page: OpenPage, picture: Picture, tmp_path: Path
) -> None:
    view = open_page(f"{page_server.http_url}/write")
    expect(view.get_by_role("status")).to_have_text("valid")
    view.get_by_label("Backend").select_option("statevector_simulator")
    view.get_by_role("textbox", name="Program").click()
    view.keyboard.press("Control+A")
    view.keyboard.press("Delete")
    view.keyboard.type('include "stdgates.inc"; qubit q; x q;')
    view.get_by_text("More options").click()
    state = view.get_by_label("Initial statevector")
    state.fill("0.6, 0.8x")
    expect(view.get_by_role("alert")).to_contain_text("0.8x")
    state.fill("0.6, 0.8i")
    expect(view.get_by_role("status")).to_have_text("valid")
    picture(view, "write-state")
    view.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_role("heading", name="Amplitudes")).to_be_visible()
    expect(view.get_by_text("0.6, 0.8i")).to_be_visible()
    flipped = view.locator(".rows-row", has_text="|0⟩")
    expect(flipped).to_contain_text("0.8000")
    expect(flipped).to_contain_text("0.500 π")
    _every_program_runs(view, tmp_path)


def _every_program_runs(view: Page, folder: Path) -> None:
    """Run what a job's page shows as the same job by Python, shell and curl."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for language, shell in (
        ("Python", [sys.executable, "-c"]),
        ("Shell", ["bash", "-euc"]),
        ("curl", ["bash", "-euc"]),
    ):
        view.get_by_text(language, exact=True).click()
        text = view.locator("section", has_text="The same by a program").locator("pre").inner_text()
        done = subprocess.run(
            [*shell, text], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        assert any(each in done.stdout for each in ("00", "11", "0.8", "counts", "statevector"))
    view.get_by_text("Go", exact=True).click()
    expect(view.locator("pre.code", has_text="package main")).to_be_visible()
