"""Noise models of Qiskit Aer as the contract's. Nothing of Aer is imported."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from basicaer.client._errors import OptionInvalidError
from basicaer.client.conversion._errors_of_aer import channels_of_error
from basicaer.client.conversion._expressions import ConversionError
from basicaer.v1 import noise_pb2

__all__ = ["has_other_passes", "message_of_aer"]

# A device's model takes a megabyte.
_KEPT = 8


class _Latest:
    """The messages of the latest models, found again while a model has the same errors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # With the model itself, and its errors, whose ids so are nobody else's.
        self._found: OrderedDict[tuple[int, ...], tuple[Any, noise_pb2.NoiseModel]] = OrderedDict()

    def message(self, model: Any) -> noise_pb2.NoiseModel:
        errors = list(_parts(model))
        key = tuple(map(id, errors))
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key][1]
        made = _converted(model)
        with self._lock:
            self._found[key] = errors, made
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return made


def message_of_aer(model: Any) -> noise_pb2.NoiseModel:
    """Return a model's rules, not to be changed: its passes but for the relaxation of delays are left out.

    Raises:
        OptionInvalidError: It has an error that no channel is.
    """
    return _LATEST.message(model)


def has_other_passes(model: Any) -> bool:
    """Whether a model puts noise into circuits otherwise than by rules and relaxation of delays."""
    return any(not _relaxes_delays(each) for each in getattr(model, "_custom_noise_passes", ()))


def _parts(model: Any) -> Iterator[Any]:
    """Yield what a model is made of, objects that it keeps, in the order of the rules."""
    yield model
    for name, error in model._default_quantum_errors.items():
        yield from (name, error)
    for name, by_qubits in model._local_quantum_errors.items():
        yield name
        for qubits, error in by_qubits.items():
            yield from (qubits, error)
    yield model._default_readout_error
    for qubits, error in model._local_readout_errors.items():
        yield from (qubits, error)
    yield from getattr(model, "_custom_noise_passes", ())


def _converted(model: Any) -> noise_pb2.NoiseModel:
    made = noise_pb2.NoiseModel()
    numbers: dict[bytes, int] = {}

    def add(name: str, qubits: Sequence[int], error: Any) -> None:
        try:
            channels = channels_of_error(error)
        except ConversionError as fault:
            raise OptionInvalidError(
                f"The noise model can't be taken: of {name}: {fault}.",
                reason="OPTION_INVALID",
                metadata={"field": "options.noise_model"},
            ) from None
        for channel, places in channels:
            number = numbers.setdefault(channel.SerializeToString(), len(made.channels))
            if number == len(made.channels):
                made.channels.append(channel)
            made.rules.add(channel=number, operations=[name], qubits=qubits, places=places or ())

    for name, error in model._default_quantum_errors.items():
        add(name, (), error)
    for name, by_qubits in model._local_quantum_errors.items():
        for qubits, error in by_qubits.items():
            add(name, qubits, error)
    readout = [((), model._default_readout_error)] if model._default_readout_error is not None else []
    for qubits, error in [*readout, *model._local_readout_errors.items()]:
        rule = made.readout.add(qubits=qubits)
        rule.error.probabilities.extend(error.probabilities.reshape(-1).tolist())
    for each in getattr(model, "_custom_noise_passes", ()):
        if _relaxes_delays(each):
            _add_relaxation(made, each)
    return made


def _relaxes_delays(noise_pass: Any) -> bool:
    """Whether one of Aer's passes lets qubits relax, during delays and nothing else."""
    kinds = getattr(noise_pass, "_ops", None)
    return (
        type(noise_pass).__name__ == "RelaxationNoisePass"
        and isinstance(kinds, tuple)
        and [kind.__name__ for kind in kinds] == ["Delay"]
    )


def _add_relaxation(made: noise_pb2.NoiseModel, noise_pass: Any) -> None:
    times = zip(noise_pass._t1s, noise_pass._t2s, noise_pass._p1s, strict=True)
    for qubit, (t1, t2, excited) in enumerate(times):
        if not (math.isinf(t1) and math.isinf(t2)):
            made.relaxation.add(t1=t1, t2=t2, excited_population=excited, qubits=[qubit])
    made.dt = noise_pass._dt or 0.0


_LATEST = _Latest()
