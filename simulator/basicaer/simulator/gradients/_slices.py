"""Cuts a segment of gates into slices, at whose ends all derivatives of their gates can be read.

A gate's derivative needs how two states overlap on its qubits right behind it. When the gates that follow in
a slice are of single qubits, that overlap is the one at the slice's end, but for small matrices; when the
gate and those that follow on its qubits are diagonal, they don't change it. So a layer of rotations takes
one pass over the states, and not one for each of its parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from basicaer.simulator.gradients._inverses import Gate

__all__ = ["Site", "Slice", "slices_of"]


@dataclass(frozen=True, slots=True)
class Site:
    """A gate of several qubits whose derivative is read at a slice's end: its instruction, and its qubits."""

    instruction: int
    gate: Gate
    controls: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(slots=True)
class Slice:
    """Instructions start to stop.

    `chains` has, by qubit, the gates of that qubit alone behind which nothing else comes in the slice, the
    last first, as far as the first one whose derivative is wanted; `sites` the gates of several qubits.
    """

    start: int
    stop: int
    chains: dict[int, list[int]] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)


@dataclass(slots=True)
class _After:
    """What comes behind a place on a qubit: nothing yet; gates of it alone; diagonal gates."""

    is_single: bool = True
    is_diagonal: bool = True
    chain: list[int] = field(default_factory=list)
    wanted: int = 0


def slices_of(
    gates: Sequence[Gate],
    qubits: Sequence[Sequence[int]],
    is_wanted: Sequence[bool],
) -> list[Slice]:
    """Return the slices of instructions, in order; `is_wanted` says whose derivatives are needed.

    `gates` and `qubits` are those of each instruction.
    """
    found: list[Slice] = []
    after: dict[int, _After] = {}
    now = Slice(0, len(gates))
    for number in range(len(gates) - 1, -1, -1):
        gate, own = gates[number], qubits[number]
        if is_wanted[number] and not _is_readable(gate, own, after):
            _end(now, number + 1, after, found)
            now, after = Slice(0, number + 1), {}
        _add(number, gate, own, is_wanted[number], after, now)
    _end(now, 0, after, found)
    return found[::-1]


def _end(now: Slice, start: int, after: dict[int, _After], found: list[Slice]) -> None:
    now.start = start
    now.chains = {qubit: state.chain[: state.wanted] for qubit, state in after.items() if state.wanted}
    found.append(now)


def _is_readable(gate: Gate, own: Sequence[int], after: dict[int, _After]) -> bool:
    states = [after.get(qubit) for qubit in own]
    if len(own) == 1 and not gate.controls and (states[0] is None or states[0].is_single):
        return True
    if gate.is_diagonal:
        return all(state is None or state.is_diagonal for state in states)
    controls, targets = states[: gate.controls], states[gate.controls :]
    # A diagonal gate behind it that has one of the targets would have marked that.
    free = all(state is None or not (state.chain or not state.is_single) for state in targets)
    return free and all(state is None or state.is_diagonal for state in controls)


def _add(
    number: int, gate: Gate, own: Sequence[int], is_wanted: bool, after: dict[int, _After], now: Slice
) -> None:
    if not own:
        return
    states = [after.setdefault(qubit, _After()) for qubit in own]
    if len(own) == 1 and not gate.controls:
        (state,) = states
        if is_wanted and not state.is_single:
            now.sites.append(Site(number, gate, (), tuple(own)))
        if state.is_single:
            state.chain.append(number)
            if is_wanted:
                state.wanted = len(state.chain)
        state.is_diagonal &= gate.is_diagonal
        return
    if is_wanted:
        now.sites.append(Site(number, gate, tuple(own[: gate.controls]), tuple(own[gate.controls :])))
    for place, state in enumerate(states):
        state.is_single = False
        state.is_diagonal &= gate.is_diagonal or place < gate.controls
