"""Tables of what was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers._measure import Case
from benchmarks.peers.adapters import COMPILED, OURS

ONCE = "¹"


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            return f"{seconds / scale:.3g} {unit}"
    raise AssertionError("the last unit takes everything")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


def states(cases: Sequence[Case]) -> str:
    """One size and precision: a row for each family, a column for each program, the best peer over ours."""
    names = list(cases[0].timings)
    rows = []
    for case in cases:
        best = case.best_peer()
        cells = []
        for name in names:
            timing = case.timings[name]
            if not timing.seconds:
                cells.append("-")
                continue
            once = ONCE if len(timing.seconds) == 1 else ""
            mark = "*" if timing is best else ""
            cells.append(f"{mark}{duration(timing.median)}{once}{mark}")
        rows.append([case.family, *cells, case.ratio(OURS), case.ratio(COMPILED)])
    head = f"### {cases[0].qubits} qubits, {cases[0].precision} precision"
    header = ["family", *names, "best peer / ours", "/ compiled"]
    return "\n\n".join([head, table(header, rows), *_notes(cases)])


def summary(case: Case) -> str:
    """All programs' shortest times, the fastest first."""
    timed = sorted(
        (timing for timing in case.timings.values() if timing.seconds), key=lambda timing: timing.best
    )
    return ", ".join(f"{timing.program} {duration(timing.best)}" for timing in timed)


def minima(cases: Sequence[Case]) -> str:
    """Return the shortest times of the best peer and of ours, which a noisy machine distorts least."""
    rows = []
    for case in cases:
        peer = case.best_peer(lambda timing: timing.best)
        ours = case.timings.get(OURS)
        row = [f"{case.precision} {case.qubits}", case.family]
        row += [peer.program, _setting(peer.setting), duration(peer.best)] if peer else ["-"] * 3
        row += [duration(ours.best) if ours and ours.seconds else "-"]
        row += [f"{peer.best / ours.best:.2f}" if peer and ours and ours.seconds else "-"]
        rows.append(row)
    header = ["size", "family", "best peer", "its setting", "its shortest", "our shortest", "ratio"]
    return table(header, rows)


def _setting(setting: tuple[int, int]) -> str:
    fusion, threads = setting
    return f"fusion {fusion or '-'}, {threads} thr."


def _notes(cases: Sequence[Case]) -> list[str]:
    notes = [
        f"{case.family}: {timing.program}: {timing.note}"
        for case in cases
        for timing in case.timings.values()
        if timing.note
    ]
    once = any(len(timing.seconds) == 1 for case in cases for timing in case.timings.values())
    lines = [f"{ONCE} run once: too far from the best peer to be repeated"] if once else []
    return [*lines, *(["Without a time: " + "; ".join(notes)] if notes else [])]


def verdict(holds: bool, claim: str) -> str:
    """Return a paragraph that says whether what the project asks of itself holds."""
    return f"\n\n{'ok' if holds else 'MISS'}: {claim}."
