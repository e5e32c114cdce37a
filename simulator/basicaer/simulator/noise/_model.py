"""Noise of a device, as rules: which channel comes with which operations on which qubits.

`NoiseModel.applied` puts the channels into a circuit, before anything of it is compiled. So qubits have the
numbers of the circuit, whatever isn't held or relabelled later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from basicaer.simulator._errors import CircuitError, OptionError
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._circuit import Circuit
from basicaer.simulator.circuit._layout import SPECIAL
from basicaer.simulator.circuit._readout_error import ReadoutError
from basicaer.simulator.compiler._valid import ValidCircuit, validated
from basicaer.simulator.noise._placing import Placing
from basicaer.simulator.noise._rules import LateChannel, Relaxation, Rule, Rules

_NOISELESS = frozenset(SPECIAL) - {"measure", "reset", "unitary", "initialize", "delay"}
_FIELD = "noise_model"


class NoiseModel:
    """Rules that are added one by one.

    >>> model = NoiseModel().add(Channel.depolarizing(0.001)).add(Channel.depolarizing(0.01, 2), ["cx"])

    All rules that fit an instruction are applied, in their order. A rule for certain qubits stands instead of
    those for any qubits, of the same operation and on the same side.
    """

    def __init__(self) -> None:
        self._rules = Rules()
        self._latest: tuple[ValidCircuit, ValidCircuit] | None = None

    def add(
        self,
        channel: Channel | LateChannel,
        operations: Iterable[str] | None = None,
        *,
        qubits: Sequence[int] | None = None,
        before: bool = False,
        places: Sequence[int] | None = None,
    ) -> NoiseModel:
        """Add a channel after, or `before`, each of `operations`; returns the model.

        `operations` are names of gates, "measure", "reset", "unitary", "initialize" or "delay", or labels of
        operations; None stands for all gates of the channel's width. With `qubits`, it comes with
        instructions on exactly these, in this order. A channel of one qubit comes on each qubit of wider
        operations that are named, or with `places` on some of an instruction's qubits, such as [1] for its
        second one. Noise of a measurement always comes before it. A `LateChannel` is made when it is met.

        Raises `OptionError` for operations that have no noise, and qubits that don't fit.
        """
        names = None if operations is None else frozenset(operations)
        for name in sorted(names or ()):
            if name in _NOISELESS:
                raise OptionError("noise_model", f"{name} has no noise")
        own = None if qubits is None else tuple(map(int, qubits))
        chosen = None if places is None else tuple(map(int, places))
        _check_fit(channel, own, chosen)
        if chosen is not None and names is None:
            raise OptionError(_FIELD, "there are places, but operations aren't named")
        self._rules.channels.append(Rule(channel, names, own, before, chosen))
        self._latest = None
        return self

    def add_readout(self, error: ReadoutError, qubits: Iterable[int] | None = None) -> NoiseModel:
        """Let measurements of `qubits`, or of all that have no error of their own, tell wrong values; returns
        the model.

        An error of several bits is for as many qubits, whose measurements follow one another, with nothing
        but measurements and barriers between. One that is measured without the others has its own error.

        Raises `OptionError` for an error of several bits on other qubits than as many distinct ones.
        """
        own = None if qubits is None else [int(each) for each in qubits]
        if error.num_clbits != 1:
            if own is None or len(set(own)) != error.num_clbits or len(own) != error.num_clbits:
                raise OptionError(
                    _FIELD,
                    f"a readout error of {error.num_clbits} bits needs as many distinct qubits, not {own}",
                )
            self._rules.together.append((tuple(own), error))
        else:
            for qubit in [None] if own is None else own:
                self._rules.readout[qubit] = error
        self._latest = None
        return self

    def add_relaxation(
        self, t1: float, t2: float, excited_population: float = 0.0, qubits: Iterable[int] | None = None
    ) -> NoiseModel:
        """Let `qubits`, or all that have no times of their own, relax in each delay; returns the model.

        `t1` and `t2` ≤ 2 `t1` are in seconds and may be infinite, `excited_population` is how likely a qubit
        is 1 at last.

        Raises `OptionError` for times that no qubit has.
        """
        how = Relaxation(float(t1), float(t2), float(excited_population))
        try:
            how.check()
        except CircuitError as error:
            raise OptionError(_FIELD, error.message) from None
        for qubit in [None] if qubits is None else [int(each) for each in qubits]:
            self._rules.relaxation[qubit] = how
        self._latest = None
        return self

    @property
    def dt(self) -> float | None:
        """How many seconds the unit `dt` of delays is; None while that isn't known."""
        return self._rules.dt

    @dt.setter
    def dt(self, seconds: float | None) -> None:
        """Set it. Raises `OptionError` unless it is a positive number."""
        if seconds is not None and not 0.0 < seconds < math.inf:
            raise OptionError(_FIELD, f"dt is {seconds!r}; it is a positive number of seconds")
        self._rules.dt = seconds
        self._latest = None

    def applied(self, circuit: Circuit, max_instructions: int | None = None) -> Circuit:
        """Return the circuit with the noise in it.

        Raises `CircuitError` where a channel's width isn't that of an instruction that it was to come with,
        for more than `max_instructions`, and for a delay of qubits that relax whose length isn't known.
        """
        if not self._rules:
            return circuit
        return Placing(circuit, self._rules, max_instructions).circuit()

    def valid(self, circuit: Circuit | ValidCircuit) -> ValidCircuit:
        """Return the checked circuit with the noise in it; that of the latest valid circuit is kept.

        Raises `CircuitError` as `applied` does, and for a circuit that isn't valid.
        """
        latest = self._latest
        if latest is not None and latest[0] is circuit:
            return latest[1]
        ready = validated(circuit)
        found = ValidCircuit(self.applied(ready.circuit))
        if ready is circuit:
            self._latest = ready, found
        return found


def _check_fit(
    channel: Channel | LateChannel, qubits: tuple[int, ...] | None, places: tuple[int, ...] | None
) -> None:
    """Check which qubits a channel is for.

    Raises:
        OptionError: It doesn't fit them.
    """
    if qubits is not None and (
        len(set(qubits)) != len(qubits) or (places is None and channel.num_qubits not in (1, len(qubits)))
    ):
        raise OptionError(
            _FIELD, f"a channel of {channel.num_qubits} qubits doesn't fit the qubits {list(qubits)}"
        )
    if places is not None and (
        len(set(places)) != len(places)
        or len(places) != channel.num_qubits
        or any(not 0 <= place < (math.inf if qubits is None else len(qubits)) for place in places)
    ):
        raise OptionError(
            _FIELD,
            f"a channel of {channel.num_qubits} qubits doesn't fit the places {list(places)} of qubits",
        )
