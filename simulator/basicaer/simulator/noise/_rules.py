"""What a noise model has been told, one record for each call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from basicaer.simulator._errors import CircuitError
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._operations import Operation
from basicaer.simulator.circuit._readout_error import ReadoutError

# In seconds; those of OpenQASM 3 and Qiskit, but for `dt`, which is the device's.
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}


class LateChannel:
    """A channel of `num_qubits` qubits that is made when an instruction meets it for the first time.

    A device's model has a thousand channels, of which the circuit of a few qubits meets twenty.
    """

    __slots__ = ("_channel", "_make", "num_qubits")

    def __init__(self, num_qubits: int, make: Callable[[], Channel]) -> None:
        """Take what makes it; `make` may raise anything, which comes out where the channel is met."""
        self.num_qubits = num_qubits
        self._make = make
        self._channel: Channel | None = None

    def channel(self) -> Channel:
        """Return it, the same one each time.

        Raises:
            CircuitError: It has another number of qubits than was said.
        """
        if self._channel is None:
            made = self._make()
            if made.num_qubits != self.num_qubits:
                raise CircuitError(f"a channel of {self.num_qubits} qubits has {made.num_qubits}")
            self._channel = made
        return self._channel


@dataclass(frozen=True, slots=True)
class Rule:
    """A channel beside instructions, on the qubits in the places `places` of theirs."""

    channel: Channel | LateChannel
    operations: frozenset[str] | None
    qubits: tuple[int, ...] | None
    before: bool
    places: tuple[int, ...] | None

    def fits(self, operation: Operation, width: int) -> bool:
        """Whether it is for an operation on `width` qubits, whichever they are."""
        name = operation.name
        if self.operations is None:
            return (name in GATES or name == "unitary") and width == self.channel.num_qubits
        own = {name, operation.label} if not operation.num_controls else {operation.label}
        if name in GATES and not operation.num_controls:
            own.add(GATES[name].name)
        elif operation.num_controls and operation.control_state in (None, (1 << operation.num_controls) - 1):
            # An x with one more control is a cx.
            own.add("c" * operation.num_controls + name)
        return not own.isdisjoint(self.operations - {""}) and width > 0

    def placed(self, qubits: tuple[int, ...]) -> list[tuple[int, ...]] | None:
        """Return the qubits of each of its channels on an instruction of `qubits`; None where it can't be."""
        if self.places is not None:
            chosen = tuple(qubits[place] for place in self.places if place < len(qubits))
            return [chosen] if len(chosen) == self.channel.num_qubits else None
        if self.channel.num_qubits == len(qubits):
            return [qubits]
        return [(qubit,) for qubit in qubits] if self.channel.num_qubits == 1 else None


@dataclass(frozen=True, slots=True)
class Relaxation:
    """How a qubit relaxes while it waits: times in seconds."""

    t1: float
    t2: float
    excited_population: float

    def check(self) -> None:
        """Check the times.

        Raises:
            CircuitError: No qubit has them.
        """
        Channel.check_relaxation(self.t1, self.t2, 0.0, self.excited_population)

    def during(self, seconds: float) -> Channel:
        """Return what it loses."""
        return Channel.thermal_relaxation(self.t1, self.t2, seconds, self.excited_population)


@dataclass(slots=True)
class Rules:
    """All of a model's rules. Readout errors and relaxation are by qubit, those of any under None."""

    channels: list[Rule] = field(default_factory=list)
    readout: dict[int | None, ReadoutError] = field(default_factory=dict)
    together: list[tuple[tuple[int, ...], ReadoutError]] = field(default_factory=list)
    relaxation: dict[int | None, Relaxation] = field(default_factory=dict)
    dt: float | None = None

    def __bool__(self) -> bool:
        return bool(self.channels or self.readout or self.together or self.relaxation)

    def relaxing(self, qubits: Sequence[int]) -> list[tuple[int, Relaxation]]:
        """Return those of some qubits that relax, and how."""
        general = self.relaxation.get(None)
        found = ((qubit, self.relaxation.get(qubit, general)) for qubit in qubits)
        return [(qubit, each) for qubit, each in found if each is not None]

    def seconds(self, duration: float, unit: str) -> float:
        """Return how long a delay is.

        Raises:
            CircuitError: It has no such length.
        """
        one = self.dt if unit in ("dt", "") else _UNITS.get(unit)
        if one is None:
            why = (
                "the noise model has no dt"
                if unit in ("dt", "")
                else f"the unit is none of {', '.join(_UNITS)}, dt"
            )
            raise CircuitError(
                f"qubits relax during a delay of {duration:g} {unit or 'dt'}, whose length isn't known: {why}"
            )
        if not 0.0 <= duration * one < math.inf:
            raise CircuitError(f"a delay of {duration:g} {unit} has no length in which qubits could relax")
        return duration * one
