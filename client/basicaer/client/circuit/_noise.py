"""Noise in a circuit: channels between its gates, and bits that are told wrong."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from basicaer.client._errors import CircuitError
from basicaer.client.circuit._channels import Channel, ReadoutError
from basicaer.client.circuit._checks import sequence
from basicaer.client.circuit._gate_methods import Qubits
from basicaer.client.circuit._sets import Sets
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["Noise"]


class Noise(Sets):
    """The instructions that do what no gate does on purpose. Equal ones share an operation."""

    num_qubits: int
    num_clbits: int

    def __init__(self) -> None:
        super().__init__()
        self._of_noise: dict[bytes, int] = {}

    @abstractmethod
    def _bits(self, kind: str, bits: Sequence[Any], count: int, name: str) -> list[int]:
        """Return bits as integers that are in range and distinct."""

    def channel(self, channel: Channel, qubits: Qubits) -> Self:
        """Apply a channel to as many qubits as it is of, the least significant one first."""
        chosen = self._bits("qubit", sequence(qubits), self.num_qubits, "channel")
        if len(chosen) != channel.num_qubits:
            raise CircuitError(f"The channel is of {channel.num_qubits} qubits, not of {len(chosen)}.")
        operation = pb.Operation(name="channel", num_qubits=len(chosen), channel=channel.message)
        self._emit_shared(operation, chosen, ())
        return self

    def readout_error(self, error: ReadoutError, clbits: Qubits) -> Self:
        """Let as many classical bits as an error is of be told wrong from here on, the least significant
        first.
        """
        chosen = self._bits("classical bit", sequence(clbits), self.num_clbits, "readout_error")
        if len(chosen) != error.num_clbits:
            raise CircuitError(f"The readout error is of {error.num_clbits} bits, not of {len(chosen)}.")
        operation = pb.Operation(name="readout_error", num_clbits=len(chosen), readout=error.message)
        self._emit_shared(operation, (), chosen)
        return self

    def _emit_shared(self, operation: pb.Operation, qubits: Sequence[int], clbits: Sequence[int]) -> None:
        key = operation.SerializeToString()
        known = self._of_noise.get(key)
        if known is None:
            self._of_noise[key] = self._emit(operation, qubits, clbits)
        else:
            self._emit(known, qubits, clbits)
