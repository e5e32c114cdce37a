"""What each instruction of stim's language becomes: operations of ours on qubits and classical bits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import numpy as np
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._expressions import ClbitRef, Literal
from basicaer.simulator.circuit._operations import Operation, Store
from basicaer.simulator.circuit._readout_error import ReadoutError
from basicaer.simulator.stim_text import _gates as gates
from basicaer.simulator.stim_text._columns import Builder
from basicaer.simulator.stim_text._syntax import Statement
from basicaer.simulator.stim_text._targets import Product, Targets, arguments_of, parts_of

Entry = Operation | Callable[[int], Operation]
"""An operation; or what makes one for the classical bit that it reads."""

_MOST_CORRELATED = 4
_TOLERANCE = 1e-9


class Instructions:
    """Adds statements to builders. `table` has the operations, and `num_observables` is one more than the
    largest observable.
    """

    def __init__(self, max_bits: int) -> None:
        self.table: list[Entry] = []
        self.num_observables = 0
        self._known: dict[Hashable, int] = {}
        self._max_bits = max_bits
        self._targets = Targets(max_bits)

    @property
    def num_qubits(self) -> int:
        """One more than the largest qubit."""
        return self._targets.num_qubits

    def add(self, statement: Statement, builder: Builder) -> None:
        """Add an instruction. Raises `StimTextError`."""
        name = gates.NAMES.get(statement.name, statement.name)
        if name in gates.GATES:
            self._gate(name, statement, builder)
        elif name in gates.MEASUREMENTS or name == "MPP":
            self._measurement(name, statement, builder)
        elif name in gates.RESETS:
            arguments_of(statement, 0)
            self._reset(gates.RESETS[name], statement, builder)
        elif name in gates.CHANNELS:
            self._channel(name, statement, builder)
        elif name in ("HERALDED_ERASE", "HERALDED_PAULI_CHANNEL_1"):
            self._heralded(name, statement, builder)
        elif name in ("SPP", "SPP_DAG"):
            self._phase(statement, builder, "sdg" if name == "SPP_DAG" else "s")
        elif name == "DETECTOR":
            builder.detector(self._targets.records(statement, builder), statement.number)
        elif name == "OBSERVABLE_INCLUDE":
            self._observable(statement, builder)
        elif name == "MPAD":
            self._pad(statement, builder)
        elif name in gates.WITHOUT_EFFECT:
            self._targets.qubits(statement)
        elif name == "ELSE_CORRELATED_ERROR":
            raise statement.error("it stands right behind an E or another ELSE_CORRELATED_ERROR")
        else:
            raise statement.error(f"there is no instruction {name}; stim's gates are in its documentation")

    def correlated(self, chain: Sequence[Statement], builder: Builder) -> None:
        """Add an E with the ELSE_CORRELATED_ERROR behind it: of their products one occurs at most."""
        qubits: list[int] = []
        products: list[tuple[float, dict[int, str]]] = []
        left = 1.0
        for statement in chain:
            (probability,) = arguments_of(statement, 1)
            letters: dict[int, str] = {}
            for target in statement.targets:
                qubit, letter = self._targets.factor(statement, target)
                if qubit in letters or target.flipped or not target.first:
                    raise statement.error("an error names each qubit once, as in X1 Y2", target)
                letters[qubit] = letter
                if qubit not in qubits:
                    qubits.append(qubit)
            products.append((left * probability, letters))
            left *= 1.0 - probability
        if len(qubits) > _MOST_CORRELATED:
            raise chain[0].error(f"an error of {len(qubits)} qubits, and the most is {_MOST_CORRELATED}")
        if not qubits:
            return
        table: dict[str, float] = {}
        for probability, letters in products:
            word = "".join(letters.get(qubit, "I") for qubit in reversed(qubits))
            if set(word) != {"I"}:
                table[word] = table.get(word, 0.0) + probability
        number = self._entry(
            ("E", *table.items()),
            lambda: _noise(len(qubits), gates.pauli_channel(len(qubits), table)),
        )
        builder.add(number, chain[0].number, qubits, len(qubits))

    # --- Gates ----------------------------------------------------------------------------------------------

    def _gate(self, name: str, statement: Statement, builder: Builder) -> None:
        width, pieces = gates.GATES[name]
        arguments_of(statement, 0)
        if width == 2 and any(target.kind == "rec" for target in statement.targets):
            self._feedback(name, statement, builder)
            return
        qubits = self._targets.qubits(statement)
        if width == 2:
            self._targets.check_pairs(statement, qubits)
        # Those that share no qubit go through a piece together.
        together = len(pieces) < 2 or len(set(qubits)) == len(qubits)
        for part in [qubits] if together else parts_of(qubits, width):
            for gate, places in pieces:
                if len(places) == width == 2 and places == (0, 1):
                    self._apply(gate, statement, part, builder, 2)
                elif len(places) == 2:
                    turned = [qubit for pair in parts_of(part, 2) for qubit in reversed(pair)]
                    self._apply(gate, statement, turned, builder, 2)
                else:
                    self._apply(gate, statement, part[places[0] :: width], builder)

    def _feedback(self, name: str, statement: Statement, builder: Builder) -> None:
        known = gates.FEEDBACK.get(name)
        for pair in parts_of(statement.targets, 2):
            records = [place for place, target in enumerate(pair) if target.kind == "rec"]
            if len(pair) < 2:
                raise statement.error(f"{name} takes pairs of targets", pair[0])
            if not records:
                qubits = [self._targets.qubit(statement, target) for target in pair]
                if qubits[0] == qubits[1]:
                    raise statement.error(f"{name} takes two different qubits", pair[1])
                for gate, places in gates.GATES[name][1]:
                    self._apply(gate, statement, [qubits[place] for place in places], builder, len(places))
            elif known is None or any(place not in known[1] for place in records):
                raise statement.error(f"{name} can't be controlled by a record here", pair[records[0]])
            elif len(records) == 1:
                gate = known[0]
                number = self._entry(("if", gate), partial(_conditional, gate))
                bit = self._targets.record(statement, pair[records[0]], builder)
                qubit = self._targets.qubit(statement, pair[1 - records[0]])
                builder.add(number, statement.number, [qubit], 1, [bit])
            else:
                # Only a phase of the whole state depends on them.
                for target in pair:
                    self._targets.record(statement, target, builder)

    def _phase(self, statement: Statement, builder: Builder, gate: str) -> None:
        """Add the square roots of products of Pauli operators."""
        arguments_of(statement, 0)
        for factors, flipped in self._targets.products(statement):
            turned = {"s": "sdg", "sdg": "s"}[gate] if flipped else gate
            self._together([factors], statement, builder)
            self._apply(turned, statement, [factors[0][0]], builder)
            self._apart([factors], statement, builder)

    # --- Measurements and resets ----------------------------------------------------------------------------

    def _measurement(self, name: str, statement: Statement, builder: Builder) -> None:
        chance = arguments_of(statement, 1, least=0)
        if name == "MPP":
            groups, resets = list(self._targets.products(statement)), False
        else:
            basis, resets = gates.MEASUREMENTS[name]
            qubits = self._targets.qubits(statement, flips=True)
            if len(basis) == 2:
                self._targets.check_pairs(statement, qubits)
            flips = [target.flipped for target in statement.targets]
            groups = [
                (list(zip(part, basis, strict=True)), sum(flipped) % 2 == 1)
                for part, flipped in zip(
                    parts_of(qubits, len(basis)), parts_of(flips, len(basis)), strict=True
                )
            ]
        every = [qubit for factors, _ in groups for qubit, _ in factors]
        together = len(set(every)) == len(every)
        for part in [groups] if together else [[group] for group in groups]:
            self._measure(part, statement, builder, resets, chance[0] if chance else 0.0)

    def _measure(
        self,
        groups: list[tuple[Product, bool]],
        statement: Statement,
        builder: Builder,
        resets: bool,
        chance: float,
    ) -> None:
        products = [factors for factors, _ in groups]
        firsts = [factors[0][0] for factors in products]
        flipped = [factors[0][0] for factors, flips in groups if flips]
        self._together(products, statement, builder)
        self._apply("x", statement, flipped, builder)
        bits = self._new_bits(len(groups), builder)
        number = self._entry("measure", lambda: Operation("measure"))
        builder.add(number, statement.number, firsts, 1, bits)
        if resets:
            self._apply("reset", statement, firsts, builder)
        else:
            self._apply("x", statement, flipped, builder)
        self._apart(products, statement, builder)
        self._misread(chance, chance, bits, statement, builder)

    def _together(
        self,
        products: list[Product],
        statement: Statement,
        builder: Builder,
    ) -> None:
        """Add the gates by which each product becomes Z of its first qubit."""
        self._turn(products, gates.TO_Z, statement, builder)
        self._apply("cx", statement, _spread(products), builder, 2)

    def _apart(self, products: list[Product], statement: Statement, builder: Builder) -> None:
        """Add the gates that undo those of `_together`."""
        self._apply("cx", statement, _spread(products), builder, 2)
        self._turn(products, gates.FROM_Z, statement, builder)

    def _turn(
        self,
        products: list[Product],
        table: Mapping[str, str],
        statement: Statement,
        builder: Builder,
    ) -> None:
        for letter in "XY":
            qubits = [qubit for factors in products for qubit, its in factors if its == letter]
            self._apply(table[letter], statement, qubits, builder)

    def _reset(self, basis: str, statement: Statement, builder: Builder) -> None:
        qubits = self._targets.qubits(statement)
        self._apply("reset", statement, qubits, builder)
        if gates.FROM_Z[basis]:
            # A qubit that stands there twice is turned once.
            self._apply(gates.FROM_Z[basis], statement, list(dict.fromkeys(qubits)), builder)

    def _pad(self, statement: Statement, builder: Builder) -> None:
        chance = arguments_of(statement, 1, least=0)
        bits = self._new_bits(len(statement.targets), builder)
        for bit, target in zip(bits, statement.targets, strict=True):
            if target.kind != "qubit" or target.value > 1 or target.flipped:
                raise statement.error("MPAD takes bits, 0 and 1", target)
            if target.value:
                number = self._entry("pad", lambda: _one)
                builder.add(number, statement.number, [], 0, [bit], count=1)
        if chance:
            self._misread(chance[0], chance[0], bits, statement, builder)

    def _misread(
        self, from_0: float, from_1: float, bits: list[int], statement: Statement, builder: Builder
    ) -> None:
        """Add readout errors, which tell bits wrong."""
        if not (from_0 or from_1) or not bits:
            return
        matrix = np.array([[1.0 - from_0, from_0], [from_1, 1.0 - from_1]])
        number = self._entry(
            ("readout", from_0, from_1),
            lambda: Operation("readout_error", num_clbits=1, readout=ReadoutError(matrix)),
        )
        builder.add(number, statement.number, [], 0, bits, count=len(bits))

    def _new_bits(self, count: int, builder: Builder) -> list[int]:
        bits = list(range(builder.measured, builder.measured + count))
        builder.measured += count
        return bits

    # --- Noise ----------------------------------------------------------------------------------------------

    def _channel(self, name: str, statement: Statement, builder: Builder) -> None:
        width, count = gates.sizes_of(name)
        arguments = arguments_of(statement, count)
        qubits = self._targets.qubits(statement)
        if width == 2:
            self._targets.check_pairs(statement, qubits)
        most = {"DEPOLARIZE1": 3 / 4, "DEPOLARIZE2": 15 / 16}.get(name, 1.0)
        if sum(arguments) > most + _TOLERANCE:
            raise statement.error(
                f"the probabilities are {sum(arguments):g} together; {name} has at most {most:g}"
            )
        number = self._entry((name, arguments), lambda: _noise(width, gates.channel(name, arguments)))
        builder.add(number, statement.number, qubits, width)

    def _heralded(self, name: str, statement: Statement, builder: Builder) -> None:
        """Add a channel whose errors a classical bit tells."""
        weights: Sequence[float]
        if name == "HERALDED_ERASE":
            (total,) = arguments_of(statement, 1)
            weights = (total / 4,) * 4
        else:
            weights = arguments_of(statement, 4)
            total = sum(weights)
            if total > 1 + _TOLERANCE:
                raise statement.error(f"the probabilities are {total:g} together; {name} has at most 1")
        qubits = self._targets.qubits(statement)
        bits = self._new_bits(len(qubits), builder)
        if not total:
            return
        self._misread(min(total, 1.0), 0.0, bits, statement, builder)
        table = {letter: weight / total for letter, weight in zip("IXYZ", weights, strict=True)}
        kept = {letter: weight for letter, weight in table.items() if letter != "I"}
        number = self._entry(
            ("heralded", weights), lambda: _conditional("channel", gates.pauli_channel(1, kept))
        )
        builder.add(number, statement.number, qubits, 1, bits)

    # --- Annotations ----------------------------------------------------------------------------------------

    def _observable(self, statement: Statement, builder: Builder) -> None:
        if len(statement.arguments) != 1 or not statement.arguments[0].is_integer():
            raise statement.error("an observable has a number, as in OBSERVABLE_INCLUDE(0)")
        number = int(statement.arguments[0])
        if not 0 <= number < self._max_bits:
            raise statement.error(f"an observable's number is below {self._max_bits:,}")
        for target in statement.targets:
            if target.kind in "XYZ":
                raise statement.error(
                    "observables of Pauli operators aren't supported; include records", target
                )
        self.num_observables = max(self.num_observables, number + 1)
        builder.observable(number, self._targets.records(statement, builder), statement.number)

    # --- The table ------------------------------------------------------------------------------------------

    def _apply(
        self, gate: str, statement: Statement, qubits: Sequence[int], builder: Builder, width: int = 1
    ) -> None:
        if qubits:
            number = self._entry(gate, lambda: Operation(gate))
            builder.add(number, statement.number, qubits, width)

    def _entry(self, key: Hashable, make: Callable[[], Entry]) -> int:
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.table)
            self.table.append(make())
        return number


def _spread(products: list[Product]) -> list[int]:
    """Return the pairs of qubits whose CX gates take products of Z to their first qubits, and back."""
    found: list[int] = []
    for factors in products:
        for qubit, _ in factors[1:]:
            found += [qubit, factors[0][0]]
    return found


def _noise(width: int, channel: Channel) -> Operation:
    return Operation("channel", num_qubits=width, channel=channel)


def _conditional(name: str, channel: Channel | None = None) -> Callable[[int], Operation]:
    width = 0 if channel is None else channel.num_qubits
    return lambda bit: Operation(name, num_qubits=width, channel=channel, condition=ClbitRef(bit))


def _one(bit: int) -> Operation:
    return Operation("store", store=Store(ClbitRef(bit), Literal(True)))
