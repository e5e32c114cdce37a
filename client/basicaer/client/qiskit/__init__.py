"""What a user of Qiskit needs beside the client itself; importing it loads nothing of Qiskit."""

from basicaer.client._from_qiskit import (
    CircuitTooLargeError,
    ConversionError,
    NestingTooDeepError,
    circuit_to_proto,
)

__all__ = ["CircuitTooLargeError", "ConversionError", "NestingTooDeepError", "circuit_to_proto"]
