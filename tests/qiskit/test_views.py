"""What a person sees of a job, in a terminal and in a notebook."""

from __future__ import annotations

import io

import pytest
from basicaer.client.qiskit import BasicAerBackend, job_monitor
from qiskit import QuantumCircuit


def endless() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(0)
    return circuit


def test_the_monitor_ends_with_the_final_status(backend: BasicAerBackend) -> None:
    output = io.StringIO()
    job = backend.run(QuantumCircuit(1, 1), shots=1)
    job_monitor(job, output=output)
    lines = output.getvalue().rstrip().split("\r")
    assert lines[1].startswith("Job Status: job is queued")
    assert lines[-1].startswith("Job Status: job has successfully run")
    assert output.getvalue().endswith("\n")


def test_the_monitor_tells_why_a_job_was_cancelled(backend: BasicAerBackend) -> None:
    output = io.StringIO()
    job = backend.run(endless(), shots=1)
    job.client.cancel("out of time")
    job_monitor(job, output=output, line_discipline="\n")
    assert "job has been cancelled" in output.getvalue().splitlines()[-1]
    quiet = io.StringIO()
    job_monitor(job, quiet=True, output=quiet)
    assert quiet.getvalue() == ""


def test_a_job_has_a_form_for_notebooks(backend: BasicAerBackend) -> None:
    job = backend.run(endless(), shots=1)
    markup = job._repr_html_()
    assert job.job_id() in markup
    assert "qasm_simulator" in markup
    assert "<progress" in markup
    job.cancel()
    job.wait_for_final_state(timeout=60)
    assert "job has been cancelled" in job._repr_html_()


def test_a_notebook_follows_a_job(backend: BasicAerBackend) -> None:
    ipython = pytest.importorskip("IPython")
    pytest.importorskip("IPython.core.interactiveshell").InteractiveShell.instance()
    from basicaer.client.qiskit import _notebook
    from IPython.utils.capture import capture_output

    job = backend.run(endless(), shots=1)
    with capture_output() as captured:
        thread = _notebook.show_live(job)
        assert thread is not None
        job.cancel()
        thread.join(60)
        ipython.display.display(job)
    shown = [output.data.get("text/html", "") for output in captured.outputs]
    assert "job has been cancelled" in shown[-1]
    assert all(job.job_id() in one for one in shown)
    assert len(shown) >= 3
