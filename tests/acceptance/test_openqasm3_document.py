"""docs/openqasm3.md: each program there gives what its first line tells."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from basicaer.client import Result
from basicaer.service.config import Config
from basicaer.service.execution import ThreadExecutor
from basicaer.v1 import job_pb2

from tests.outcomes import whole

TEXT = (Path(__file__).parents[2] / "docs" / "openqasm3.md").read_text()
PROGRAMS = re.findall(r"^```qasm\n(.*?)^```", TEXT, flags=re.M | re.S)


PRINTED = re.findall(
    r"^```python\n([^`]*)^```\n\nprints\n\n```qasm\n[^\n]*\n([^`]*)^```", TEXT, flags=re.M | re.S
)


def test_a_circuit_is_written_as_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ((code, text),) = PRINTED
    exec(code, {})
    assert capsys.readouterr().out.rstrip() == text.rstrip()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gives_what_it_tells(program: str, tmp_path: Path) -> None:
    executor = ThreadExecutor(Config(data_dir=tmp_path))
    spec = job_pb2.JobSpec(backend_name="qasm_simulator", programs=[job_pb2.Program(openqasm3=program)])
    try:
        prepared = executor.prepare(spec)
        outcome = whole(executor.execute(prepared, prepared.new_control(), job_id="test"))
    finally:
        executor.close()
    assert outcome.result is not None
    (entry,) = outcome.result.programs
    if program.startswith("// values: "):
        outputs = Result(outcome.result).get_outputs()
        values = " ".join(f"{name}={np.asarray(output.value).tolist()}" for name, output in outputs.items())
        assert program.partition("\n")[0] == f"// values: {values}"
        return
    (word,) = entry.counts.outcomes
    shown = []
    for register in entry.header.classical_registers:
        shown.append(f"{register.name}={''.join(str(word >> bit & 1) for bit in reversed(register.bits))}")
    assert program.partition("\n")[0] == f"// expect: {' '.join(shown)}"
    assert entry.header.num_clbits == sum(register.size for register in entry.header.classical_registers)
