"""Short ways to a text's circuit, its matrix and its fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from basicaer import simulator as sim
from basicaer.service.execution.circuits.reading import to_simulator
from basicaer.service.parsing import ProgramFault
from basicaer.service.parsing.openqasm2 import parse
from basicaer.v1 import circuit_pb2 as pb

Circuit = Callable[[str], pb.Circuit]
Unitary = Callable[[str], Any]
Refused = Callable[[str], ProgramFault]


@pytest.fixture(scope="session")
def circuit() -> Circuit:
    return lambda text: parse(text, max_bytes=1 << 20, max_instructions=100_000)


@pytest.fixture(scope="session")
def unitary(circuit: Circuit) -> Unitary:
    return lambda text: sim.unitary(to_simulator(circuit(text)))


@pytest.fixture(scope="session")
def refused(circuit: Circuit) -> Refused:
    """The fault of a text; one that this project didn't expect of Qiskit's parser is a failure."""

    def fault_of(text: str) -> ProgramFault:
        with pytest.raises(ProgramFault) as caught:
            circuit(text)
        assert "Qiskit's parser can't read this" not in caught.value.message
        return caught.value

    return fault_of
