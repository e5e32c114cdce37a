"""How much each field of a request may hold: the one table of the contract's limits on lists and texts.

Every repeated field that a request can reach stands here, maps included; a test fails for one that doesn't,
and for a comment in the contract that names another number. Each bound is several times what real programs
were seen to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from basicaer.service.config import Config

__all__ = ["DEFAULT_LONGEST", "LONGEST", "MOST", "MOST_PARTS", "SETTINGS", "TEXTS", "most_of"]

MOST_PARTS = 1_500_000
"""Messages, strings in lists, numbers in lists that aren't packed, and unknown fields of a request, together.
An `if` of a program has up to ten.
"""

_NUMBERS = 10_000_000
"""Of a column of numbers. Reading one costs nanoseconds, so that the message's bytes bound it."""

MOST: Mapping[str, int] = MappingProxyType(
    {
        "basicaer.v1.JobSpec.programs": 10_000,
        "basicaer.v1.JobSpec.labels": 32,
        "basicaer.v1.ListJobsRequest.labels": 32,
        "basicaer.v1.ListJobsRequest.statuses": 64,
        "basicaer.v1.Inputs.names": 100_000,
        "basicaer.v1.Inputs.values": _NUMBERS,
        "basicaer.v1.Inputs.integer_names": 100_000,
        "basicaer.v1.Inputs.integers": _NUMBERS,
        "basicaer.v1.Program.externs": 1_000,
        "basicaer.v1.ExternFunction.arguments": 1_000_000,
        "basicaer.v1.ExternFunction.values": 65_536,
        "basicaer.v1.Estimation.observables": 100_000,
        "basicaer.v1.Estimation.rows": _NUMBERS,
        "basicaer.v1.Estimation.indices": _NUMBERS,
        "basicaer.v1.Circuit.quantum_registers": 10_000,
        "basicaer.v1.Circuit.classical_registers": 10_000,
        "basicaer.v1.Circuit.variables": 100_000,
        "basicaer.v1.Circuit.operations": 50_000,
        "basicaer.v1.Circuit.outputs": 10_000,
        "basicaer.v1.ClassicalOutput.shape": 8,
        "basicaer.v1.Register.bits": 100_000,
        "basicaer.v1.Block.operations": _NUMBERS,
        "basicaer.v1.Block.qubits": 4 * _NUMBERS,
        "basicaer.v1.Block.clbits": _NUMBERS,
        "basicaer.v1.Block.parameters": 4 * _NUMBERS,
        "basicaer.v1.Block.term_parameters": _NUMBERS,
        "basicaer.v1.Block.term_variables": _NUMBERS,
        "basicaer.v1.Block.term_factors": _NUMBERS,
        "basicaer.v1.Operation.parameter_expressions": 64,
        "basicaer.v1.ComplexArray.shape": 8,
        "basicaer.v1.ComplexArray.values": 4 * _NUMBERS,
        # The Hamiltonian of a molecule has up to a million terms.
        "basicaer.v1.Observable.paulis": 1_000_000,
        "basicaer.v1.Observable.coefficients": 1_000_000,
        "basicaer.v1.BasisStates.numbers": 100_000,
        # One for each qubit.
        "basicaer.v1.MatrixProductState.tensors": 100_000,
        "basicaer.v1.SaveDetectors.clbits": 1_000_000,
        "basicaer.v1.SaveDetectors.sizes": 100_000,
        # Products of four qubits are 256, and a matrix of six bits has as many numbers.
        "basicaer.v1.PauliChannel.paulis": 4_096,
        "basicaer.v1.PauliChannel.probabilities": 4_096,
        "basicaer.v1.CircuitMixture.circuits": 1_024,
        "basicaer.v1.MixedCircuit.instructions": 64,
        "basicaer.v1.MixedInstruction.qubits": 4,
        "basicaer.v1.MixedInstruction.parameters": 16,
        "basicaer.v1.ReadoutError.probabilities": 4_096,
        # A device of a thousand qubits has some rules for each of them and for each pair of neighbours.
        "basicaer.v1.NoiseModel.channels": 10_000,
        "basicaer.v1.NoiseModel.rules": 20_000,
        "basicaer.v1.NoiseModel.readout": 10_000,
        "basicaer.v1.NoiseModel.relaxation": 10_000,
        "basicaer.v1.NoiseRule.operations": 1_000,
        "basicaer.v1.NoiseRule.qubits": 1_000,
        "basicaer.v1.NoiseRule.places": 4,
        "basicaer.v1.ReadoutRule.qubits": 100_000,
        "basicaer.v1.RelaxationRule.qubits": 100_000,
        "basicaer.v1.ForLoop.values": 100_000,
        "basicaer.v1.SwitchCase.cases": 16_384,
        "basicaer.v1.Case.values": 65_536,
        "google.protobuf.Struct.fields": 10_000,
        "google.protobuf.ListValue.values": 100_000,
    }
)
"""Elements of each list."""

DEFAULT_LONGEST = 1_048_576
"""Bytes of a string, or of bytes, that stands nowhere else."""

LONGEST: Mapping[str, int | None] = MappingProxyType(
    {
        # As many as `max_program_bytes` says.
        "basicaer.v1.Program.openqasm2": None,
        "basicaer.v1.Program.openqasm3": None,
        "basicaer.v1.Program.stim": None,
        # As many as the message holds.
        "basicaer.v1.ComplexArray.data": None,
        # What the server keeps of a job or looks up: ids, tokens and names. Who answers for a number of
        # characters says so; here are the bytes that these take at most. An id of a job that is too long is
        # one that isn't there.
        "basicaer.v1.JobSpec.backend_name": 128,
        "basicaer.v1.JobSpec.LabelsEntry.key": 256,
        "basicaer.v1.JobSpec.LabelsEntry.value": 256,
        "basicaer.v1.SubmitJobRequest.request_id": 512,
        "basicaer.v1.RunJobRequest.request_id": 512,
        "basicaer.v1.ListJobsRequest.page_token": 1_024,
        "basicaer.v1.ListJobsRequest.backend_name": 128,
        "basicaer.v1.ListJobsRequest.LabelsEntry.key": 256,
        "basicaer.v1.ListJobsRequest.LabelsEntry.value": 256,
        "basicaer.v1.CancelJobRequest.reason": 1_024,
        "basicaer.v1.ReadResultRequest.part": 1_024,
        "basicaer.v1.ReadResultRequest.etag": 256,
        # A tableau of 1,000 qubits, with its destabilizers.
        "basicaer.v1.SetState.stabilizer": 4_002_000,
        # One letter for each qubit.
        "basicaer.v1.Initialize.label": 100_000,
        "basicaer.v1.Observable.paulis": 100_000,
    }
)
"""Bytes of strings that may have more, or as many as other limits allow."""

TEXTS = frozenset(f"basicaer.v1.Program.{name}" for name in ("openqasm2", "openqasm3", "stim"))
"""Programs' texts, which `max_program_bytes` bounds."""

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "basicaer.v1.JobSpec.programs": "max_programs",
        "basicaer.v1.Block.operations": "max_instructions",
    }
)
"""Lists that a setting bounds more narrowly."""


def most_of(config: Config) -> dict[str, int]:
    """Elements of each list, as this server allows."""
    most = {**MOST}
    for name, setting in SETTINGS.items():
        most[name] = getattr(config, setting)
    for name in MOST:
        # A server that takes more instructions takes their operands too.
        if name.startswith("basicaer.v1.Block.") and name not in SETTINGS:
            most[name] = max(most[name], MOST[name] // _NUMBERS * config.max_instructions)
    return most
