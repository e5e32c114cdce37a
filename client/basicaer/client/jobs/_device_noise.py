"""Noise of a device from its Qiskit `Target`: what its calibration says, as Aer's noise models read it.

An instruction depolarizes as much as its error exceeds what its qubits lose by relaxing meanwhile, and then
its qubits relax. Nothing of Qiskit or Aer is imported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from basicaer.client._errors import OptionInvalidError
from basicaer.v1 import noise_pb2

__all__ = ["DeviceNoise", "basis_of", "device_noise"]

# Planck's constant over Boltzmann's, in kelvin over hertz.
_KELVIN = 6.62607015e-34 / 1.380649e-23
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}


class DeviceNoise(NamedTuple):
    """Which of a device's noise is wanted: see `NoiseModel.from_backend`."""

    gate_error: bool
    readout_error: bool
    thermal_relaxation: bool
    temperature: float
    gate_lengths: Iterable[tuple[str, Sequence[int], float]] | None
    gate_length_units: str


class _Qubit(NamedTuple):
    """A qubit's relaxation, times in seconds."""

    t1: float
    t2: float
    excited: float

    def fidelity(self, seconds: float) -> float:
        """Return the process fidelity of waiting."""
        return (1.0 + math.exp(-seconds / self.t1) + 2.0 * math.exp(-seconds / self.t2)) / 4.0

    @property
    def is_ideal(self) -> bool:
        return math.isinf(self.t1) and math.isinf(self.t2)


def device_noise(target: Any, dt: float | None, wanted: DeviceNoise) -> noise_pb2.NoiseModel:
    """Return the noise of a device of Qiskit's `Target`.

    Raises:
        OptionInvalidError: A length is given for what the device hasn't, or in no unit.
    """
    model = noise_pb2.NoiseModel()
    qubits = [_qubit(each, wanted.temperature) for each in target.qubit_properties or () if each is not None]
    whole = len(qubits) == len(target.qubit_properties or ())
    if wanted.readout_error:
        _add_readout(model, target)
    relaxing = dict(enumerate(qubits)) if wanted.thermal_relaxation and whole else {}
    _add_gates(model, target, wanted, relaxing)
    for number, qubit in relaxing.items():
        if not qubit.is_ideal:
            model.relaxation.add(t1=qubit.t1, t2=qubit.t2, excited_population=qubit.excited, qubits=[number])
    if model.relaxation and dt:
        model.dt = dt
    return model


def basis_of(target: Any) -> list[str]:
    """Return the names of a device's gates."""
    return sorted(name for name in target.operation_names if _is_gate(target.operation_from_name(name)))


def _qubit(properties: Any, temperature: float) -> _Qubit:
    t1, t2 = (getattr(properties, name, None) for name in ("t1", "t2"))
    t1 = math.inf if t1 is None else t1
    frequency = getattr(properties, "frequency", None)
    return _Qubit(t1, min(2.0 * t1, math.inf if t2 is None else t2), _excited(frequency, temperature))


def _excited(frequency: float | None, millikelvin: float) -> float:
    """Return how likely a qubit of a frequency in hertz is 1, of the two levels alone.

    A temperature below 0 is that of an inverted population.
    """
    if frequency is None or math.isinf(frequency) or not millikelvin:
        return 0.0
    exponent = _KELVIN * frequency / (abs(millikelvin) * 1e-3)
    population = 1.0 / (1.0 + math.exp(exponent)) if exponent < 700.0 else 0.0
    return 1.0 - population if millikelvin < 0.0 else population


def _add_readout(model: noise_pb2.NoiseModel, target: Any) -> None:
    for qubits, properties in (target.get("measure", None) or {}).items():
        if qubits is None or properties is None or len(qubits) != 1:
            continue
        both = getattr(properties, "error", None)
        told = getattr(properties, "prob_meas1_prep0", both), getattr(properties, "prob_meas0_prep1", both)
        one_for_zero, zero_for_one = (both if each is None else each for each in told)
        if one_for_zero is None or zero_for_one is None:
            continue
        rule = model.readout.add(qubits=qubits)
        rule.error.probabilities.extend([1.0 - one_for_zero, one_for_zero, zero_for_one, 1.0 - zero_for_one])


def _add_gates(
    model: noise_pb2.NoiseModel, target: Any, wanted: DeviceNoise, relaxing: Mapping[int, _Qubit]
) -> None:
    lengths = _lengths(target, wanted)
    channels: dict[Any, int] = {}

    def number(key: Any) -> int:
        if key not in channels:
            channels[key] = len(model.channels)
            channel = model.channels.add()
            if isinstance(key, tuple) and len(key) == 2:
                channel.depolarizing.probability, channel.depolarizing.num_qubits = key
            else:
                qubit, seconds, _ = key
                relaxation = channel.thermal_relaxation
                relaxation.t1, relaxation.t2, relaxation.excited_population = qubit
                relaxation.duration = seconds
        return channels[key]

    for name, qubits, properties, is_gate in _instructions(target):
        seconds = lengths.get((name, qubits), properties.duration) or 0.0
        waiting = [relaxing.get(qubit) for qubit in qubits]
        lost = [each for each in waiting if each is not None and seconds]
        if wanted.gate_error and is_gate and properties.error:
            strength = _depolarizing(properties.error, len(qubits), [each.fidelity(seconds) for each in lost])
            if strength:
                model.rules.add(channel=number((strength, len(qubits))), operations=[name], qubits=qubits)
        for place, qubit in enumerate(waiting):
            if seconds and qubit is not None and not qubit.is_ideal:
                channel = number((qubit, seconds, "relaxation"))
                model.rules.add(channel=channel, operations=[name], qubits=qubits, places=[place])


def _instructions(target: Any) -> Iterator[tuple[str, tuple[int, ...], Any, bool]]:
    """Yield what may have noise of a device: name, qubits, properties, whether it is a gate."""
    for name, by_qubits in target.items():
        # A qubit's delays have any length, and relax by that.
        if name in ("measure", "delay") or by_qubits is None:
            continue
        is_gate = _is_gate(target.operation_from_name(name))
        for qubits, properties in by_qubits.items():
            if qubits is not None and properties is not None:
                yield name, tuple(qubits), properties, is_gate


def _depolarizing(error: float, num_qubits: int, fidelities: Sequence[float]) -> float:
    """Return how much a gate depolarizes whose average infidelity is `error`, with the qubits' relaxation,
    whose process fidelities are given.
    """
    size = 1 << num_qubits
    relaxed = (size * math.prod(fidelities) + 1.0) / (size + 1.0)
    # No channel is worse than this.
    error = min(error, size / (size + 1.0))
    if error <= 1.0 - relaxed:
        return 0.0
    strength = size * (error - (1.0 - relaxed)) / (size * relaxed - 1.0)
    return min(strength, size * size / (size * size - 1.0))


def _lengths(target: Any, wanted: DeviceNoise) -> dict[tuple[str, tuple[int, ...]], float]:
    """Return the lengths of instructions that are given instead of the device's, in seconds."""
    if wanted.gate_length_units not in _UNITS:
        raise OptionInvalidError(f"gate_length_units is none of {', '.join(_UNITS)}.")
    found = {}
    for name, qubits, value in wanted.gate_lengths or ():
        key = name, tuple(qubits)
        if name not in target.operation_names or key[1] not in (target[name] or {}):
            raise OptionInvalidError(
                f"gate_lengths has {name} on the qubits {list(qubits)}; the device has none."
            )
        found[key] = float(value) * _UNITS[wanted.gate_length_units]
    return found


def _is_gate(operation: Any) -> bool:
    """Whether an instruction is one of Qiskit's `Gate`."""
    kind = operation if isinstance(operation, type) else type(operation)
    return any(part.__name__ == "Gate" for part in kind.__mro__)
