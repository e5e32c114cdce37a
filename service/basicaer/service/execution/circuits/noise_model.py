"""The contract's `NoiseModel` as the simulator's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from basicaer import simulator as sim
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.execution.circuits.noise import Noise, width
from basicaer.service.parsing import Pause, ProgramFault
from basicaer.service.wire import Columns
from basicaer.v1 import circuit_pb2, noise_pb2

__all__ = ["ModelFault", "noise_model"]


class ModelFault(ProgramFault):
    """What is wrong with a noise model, whichever program found it."""

    def to_service_error(self, index: int = 0, source: str = "", *, is_text: bool = False) -> ServiceError:
        """Return the error for a job: it is the option's."""
        field = f"options.noise_model.{self.path}".removesuffix(".")
        message = f"{field}: {self.message}"
        if self.metadata:
            return ServiceError(self.reason, message, metadata=self.metadata, field=field)
        return option_invalid(field, message)


def noise_model(message: noise_pb2.NoiseModel, columns: Columns, pause: Pause) -> sim.NoiseModel:
    """Return a noise model, whose channels are made when an instruction meets them.

    What is wrong with a channel is found then, as a `ModelFault` too; until then `message` and `columns` are
    needed.

    Raises:
        GivenUpError: By `pause`.
        ModelFault: A readout error is none, a rule doesn't fit, or a channel has no width; with its place.
    """
    noise = Noise(columns, pause)
    channels = [_channel(noise, each, f"channels[{place}]") for place, each in enumerate(message.channels)]
    model = sim.NoiseModel()
    for place, rule in enumerate(message.rules):
        pause()
        path = f"rules[{place}]"
        if rule.channel >= len(channels):
            raise ModelFault(
                f"there is no channel {rule.channel:,}; there are {len(channels):,}", path=f"{path}.channel"
            )
        with _place(path):
            model.add(
                channels[rule.channel],
                rule.operations or None,
                qubits=rule.qubits or None,
                before=rule.before,
                places=rule.places or None,
            )
    for place, told in enumerate(message.readout):
        path = f"readout[{place}]"
        with _place(path):
            model.add_readout(noise.readout(told.error, f"{path}.error"), told.qubits or None)
    for place, waits in enumerate(message.relaxation):
        pause()
        with _place(f"relaxation[{place}]"):
            model.add_relaxation(waits.t1, waits.t2, waits.excited_population, waits.qubits or None)
    with _place("dt"):
        model.dt = message.dt or None
    return model


def _channel(noise: Noise, message: circuit_pb2.Channel, path: str) -> sim.Channel | sim.LateChannel:
    """Return a channel: at once where that alone tells what is wrong with it."""
    num_qubits = width(message)
    if num_qubits is None:
        return _made(noise, message, path)
    return sim.LateChannel(num_qubits, partial(_made, noise, message, path))


def _made(noise: Noise, message: circuit_pb2.Channel, path: str) -> sim.Channel:
    with _place(path):
        return noise.channel(message, path)


@contextmanager
def _place(path: str) -> Iterator[None]:
    """Let faults be those of a model's part."""
    try:
        yield
    except sim.OptionError as error:
        raise ModelFault(error.message, path=path) from None
    except ProgramFault as fault:
        raise ModelFault(
            fault.message, path=fault.path, reason=fault.reason, metadata=fault.metadata
        ) from None
