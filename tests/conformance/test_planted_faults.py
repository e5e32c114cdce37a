"""The suite finds what is wrong with a client: the Python runner fails where a fault was planted into it."""

from __future__ import annotations

import sys

import pytest

from tests.conformance.scenarios import SCENARIOS, play
from tests.conftest import ServerProcess

BY_NAME = {scenario["name"]: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize(
    ("fault", "scenario", "complaint"),
    [
        ("skip-event", "watch_resumes", r"reply\.events is .*'sequence': 3.*, expected .*'sequence': 2"),
        ("no-sign", "outputs_have_types", r"\.values\.least is '9223372036854775808', expected '-922"),
        ("big-endian", "state_in_double", r"reply\.amplitudes\[0\]\[0\] is .*, expected 0\.7"),
        (
            "new-request-id",
            "submission_is_repeated",
            r"SubmitJob\.requestId was .*, expected the same 3 times",
        ),
    ],
)
def test_a_planted_fault_is_found(fault: str, scenario: str, complaint: str, server: ServerProcess) -> None:
    command = f"{sys.executable} -m tests.conformance.faulty_runner {fault}"
    with pytest.raises(AssertionError, match=complaint):
        play(BY_NAME[scenario], command, server.address)
