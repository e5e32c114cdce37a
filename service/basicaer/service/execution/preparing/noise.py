"""Circuits with the noise of their job's noise model."""

from __future__ import annotations

from basicaer import simulator as sim
from basicaer.service.errors import ServiceError
from basicaer.service.parsing import ProgramFault
from basicaer.v1 import error_reason_pb2

__all__ = ["NoiseFault", "with_noise"]

_FIELD = "options.noise_model"


class NoiseFault(ProgramFault):
    """A noise model that a program can't have."""

    def to_service_error(self, index: int, source: str, *, is_text: bool = False) -> ServiceError:
        """Return the error for program `index` of a job: it is the model's."""
        return ServiceError(
            error_reason_pb2.ERROR_REASON_OPTION_INVALID,
            f"{_FIELD}: programs[{index}]: {self.message}",
            metadata={"field": _FIELD, "program_index": str(index)},
            field=_FIELD,
        )


def with_noise(valid: sim.ValidCircuit, model: sim.NoiseModel, max_instructions: int) -> sim.ValidCircuit:
    """Return a circuit with a model's channels and readout errors in it.

    Raises:
        GivenUpError: By `sim.current_pause()`.
        NoiseFault: A channel doesn't fit an instruction, or there are too many of them.
    """
    try:
        circuit = model.applied(valid.circuit, max_instructions)
        return valid if circuit is valid.circuit else sim.ValidCircuit(circuit)
    except sim.CircuitError as error:
        raise NoiseFault(error.message) from None
