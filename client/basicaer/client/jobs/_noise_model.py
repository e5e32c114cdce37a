"""Noise of a device: which channels come with which operations of a job's circuits."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any, Self

from basicaer.client._errors import OptionInvalidError
from basicaer.client._texts import Encoded
from basicaer.client.circuit._channels import Channel, ReadoutError
from basicaer.client.circuit._checks import index_from
from basicaer.client.jobs._device_noise import DeviceNoise, basis_of, device_noise
from basicaer.client.jobs._models_of_aer import has_other_passes, message_of_aer
from basicaer.v1 import circuit_pb2, noise_pb2
from google.protobuf import json_format

__all__ = ["NoiseModel"]


class NoiseModel:
    """Rules by which channels and readout errors come with the operations of all circuits of a job.

        model = NoiseModel().add(Channel.depolarizing(0.001)).add(Channel.depolarizing(0.01, 2), ["cx"])
        backend.run(circuit, noise_model=model)

    All rules that fit an instruction are applied, in their order. Where one of them is for certain qubits,
    those for any qubits are not, on the same side of the instruction. The server checks what they say.
    """

    # Of pickles that lack it, too.
    _basis_gates: list[str] | None = None

    def __init__(self, message: noise_pb2.NoiseModel | None = None) -> None:
        """Begin with the rules of a message, or with none."""
        self._message = noise_pb2.NoiseModel()
        if message is not None:
            self._message.CopyFrom(message)
        self._numbers = {each.SerializeToString(): place for place, each in enumerate(self._message.channels)}

    @Encoded(OptionInvalidError)
    def add(
        self,
        channel: Channel,
        operations: Iterable[str] | None = None,
        *,
        qubits: Sequence[int] | None = None,
        before: bool = False,
        places: Sequence[int] | None = None,
    ) -> Self:
        """Add a channel after, or `before`, each of `operations`; return the model.

        These are names of gates, "measure", "reset", "unitary", "initialize" or "delay", or labels; None
        stands for all gates of the channel's width. With `qubits` it comes with instructions on exactly
        these, in this order. A channel of one qubit comes on each qubit of wider operations that are named,
        or with `places` on some of an instruction's qubits, such as [1] for its second one. Before a
        measurement it comes in any case.
        """
        return self._add(channel.message, operations, qubits, before, places)

    def add_readout(self, error: ReadoutError, qubits: Iterable[int] | None = None) -> Self:
        """Let measurements of `qubits`, or of all that have no error of their own, tell wrong values; return
        the model.

        An error of several bits is for as many qubits, where their measurements follow one another with
        nothing but measurements and barriers between; one that is measured without the others has its own.
        """
        self._message.readout.add(error=error.message, qubits=_indices(qubits))
        return self

    def add_relaxation(
        self, t1: float, t2: float, excited_population: float = 0.0, qubits: Iterable[int] | None = None
    ) -> Self:
        """Let `qubits`, or all that have no times of their own, relax during each delay; return the model.

        `t1` and `t2` ≤ 2 `t1` are in seconds and may be infinite, `excited_population` is how likely a qubit
        is 1 at last. How long the unit `dt` of a delay is, `dt` says.
        """
        self._message.relaxation.add(
            t1=t1, t2=t2, excited_population=excited_population, qubits=_indices(qubits)
        )
        return self

    @property
    def dt(self) -> float | None:
        """How many seconds the unit `dt` of delays is; None while that isn't known."""
        return self._message.dt or None

    @dt.setter
    def dt(self, seconds: float | None) -> None:
        self._message.dt = seconds or 0.0

    @property
    def basis_gates(self) -> list[str] | None:
        """The names of the gates that have noise on the device that the model is of, or that Aer's model has:
        circuits are transpiled to them. None for all; it isn't sent, nor part of the JSON.
        """
        return self._basis_gates

    @property
    def operation_names(self) -> set[str]:
        """The names and labels of the operations that rules are for; without those for all gates."""
        return {name for rule in self._message.rules for name in rule.operations}

    def restricted(self, qubits: Container[int]) -> Self:
        """Return what there is of the model for circuits that have these qubits and no others."""
        made = type(self)()
        own, numbers = made._message, dict[int, int]()
        for rule in self._message.rules:
            if all(qubit in qubits for qubit in rule.qubits):
                number = numbers.setdefault(rule.channel, len(numbers))
                if number == len(own.channels):
                    own.channels.append(self._message.channels[rule.channel])
                own.rules.append(rule)
                own.rules[-1].channel = number
        for told in self._message.readout:
            if all(qubit in qubits for qubit in told.qubits):
                own.readout.append(told)
            elif len(told.error.probabilities) == 4:
                kept = [qubit for qubit in told.qubits if qubit in qubits]
                own.readout.extend([noise_pb2.ReadoutRule(error=told.error, qubits=kept)] if kept else [])
        for waits in self._message.relaxation:
            kept = [qubit for qubit in waits.qubits if qubit in qubits]
            if kept or not waits.qubits:
                own.relaxation.append(waits)
                own.relaxation[-1].qubits[:] = kept
        own.dt = self._message.dt
        made._basis_gates = self._basis_gates
        return made

    @classmethod
    def from_aer(cls, model: Any) -> Self:
        """Return the rules of a `qiskit_aer.noise.NoiseModel`. Those of the latest models are kept.

        Raises:
            OptionInvalidError: It has an error that no channel is, or passes that put noise into circuits
                otherwise than by relaxation of delays.
        """
        if has_other_passes(model):
            raise _refused(
                "it has passes that put noise into circuits; run it by AerSimulator, which runs them"
            )
        return cls._from_rules_of_aer(model)

    @classmethod
    def _from_rules_of_aer(cls, model: Any) -> Self:
        """Return the rules of a model of Aer's, without what its other passes do."""
        made = cls(message_of_aer(model))
        made._basis_gates = list(model.basis_gates)
        return made

    @classmethod
    def from_backend(
        cls,
        backend: Any,
        gate_error: bool = True,
        readout_error: bool = True,
        thermal_relaxation: bool = True,
        temperature: float = 0,
        gate_lengths: Iterable[tuple[str, Sequence[int], float]] | None = None,
        gate_length_units: str = "ns",
    ) -> Self:
        """Return the noise of a device, a `BackendV2` of Qiskit or its `Target`, as Aer's noise models have
        it; Aer isn't needed.

        Gates depolarize by their errors, as far as `gate_error`; qubits relax during instructions and delays,
        as far as `thermal_relaxation`, to a state of `temperature` in millikelvin; measurements are told
        wrong, as far as `readout_error`. `gate_lengths` are (name, qubits, length) instead of the device's.

        Raises:
            OptionInvalidError: It is no such device, or hasn't what `gate_lengths` names.
        """
        target = backend if hasattr(backend, "operation_from_name") else getattr(backend, "target", None)
        if target is None:
            raise _refused("it is made of a BackendV2 or a Target, and this has none")
        wanted = DeviceNoise(
            gate_error, readout_error, thermal_relaxation, temperature, gate_lengths, gate_length_units
        )
        made = cls(device_noise(target, getattr(backend, "dt", None), wanted))
        made._basis_gates = basis_of(target)
        return made

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return a model from the contract's `NoiseModel` as JSON.

        Raises:
            OptionInvalidError: It is none.
        """
        try:
            return cls(json_format.Parse(text, noise_pb2.NoiseModel()))
        except json_format.ParseError as error:
            raise _refused(f"the JSON is none: {error}") from None

    def to_json(self) -> str:
        """Return the contract's `NoiseModel` as JSON."""
        return json_format.MessageToJson(self._message)

    def to_message(self) -> noise_pb2.NoiseModel:
        """Return the model for the wire, a copy."""
        message = noise_pb2.NoiseModel()
        message.CopyFrom(self._message)
        return message

    def _add(
        self,
        channel: circuit_pb2.Channel,
        operations: Iterable[str] | None,
        qubits: Iterable[int] | None,
        before: bool,
        places: Iterable[int] | None = None,
    ) -> Self:
        names = [] if operations is None else list(operations)
        if isinstance(operations, str) or (operations is not None and not names):
            raise _refused(f"the operations are {operations!r}; give a list of names, or None for all gates")
        key = channel.SerializeToString()
        number = self._numbers.setdefault(key, len(self._message.channels))
        if number == len(self._message.channels):
            self._message.channels.append(channel)
        self._message.rules.add(
            channel=number,
            operations=names,
            qubits=_indices(qubits),
            before=before,
            places=None if places is None else _indices(places),
        )
        return self

    def __repr__(self) -> str:
        return f"<NoiseModel: {len(self._message.rules)} rules, {len(self._message.readout)} readout errors>"


def _indices(qubits: Iterable[int] | None) -> list[int]:
    found = [] if qubits is None else [index_from("A qubit of a noise model", qubit) for qubit in qubits]
    if (qubits is not None and not found) or any(not 0 <= qubit < 2**32 for qubit in found):
        raise _refused(f"the qubits are {found}; give one or more from 0, or None for any")
    return found


def _refused(why: str) -> OptionInvalidError:
    return OptionInvalidError(
        f"The noise model can't be taken: {why}.",
        reason="OPTION_INVALID",
        metadata={"field": "options.noise_model"},
    )
