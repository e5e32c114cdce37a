"""The panels of a picture: each kind of data as the field draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from basicaer.service.cli import _text
from basicaer.service.cli.results._names import OWN, counts_of
from basicaer.service.cli.results._outputs import output_labels
from basicaer.service.printable import printable
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from basicaer.client import ExperimentResult, Result

__all__ = ["draw_panels"]

# Inches. More panels than a page has room for are left out, and the last line of the picture says so.
_WIDTH, _ROW, _FRAME = 8.0, 0.24, 1.1
_MOST_PANELS = 24
_MOST_BARS = 64
_UNDATED: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_BLUE = "#3b6fb6"
_LONGEST_LABEL = 48
_SETTINGS: Any = {
    "svg.hashsalt": "basicaer",
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    # A name such as "$x" is a name.
    "text.parse_math": False,
}


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    height: float
    draw: Callable[[Axes], None]


def draw_panels(result: Result, top: int, path: str) -> None:
    """Draw a panel for each program's counts, states, matrices and saved values into a file.

    Of counts and amplitudes the `top` largest are drawn. Expectation values of a sweep are curves over its
    programs. The same result gives the same file.
    """
    panels = list(_panels(result, top)) or [_Panel("no data", _FRAME, lambda axes: axes.set_axis_off())]
    shown = panels[:_MOST_PANELS]
    heights = [panel.height for panel in shown]
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
        rows = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, panel in zip(rows, shown, strict=True):
            axes.set_title(panel.title, loc="left", fontsize="medium")
            panel.draw(axes)
        if len(panels) > len(shown):
            figure.supxlabel(f"… and {len(panels) - len(shown):,} more", fontsize="small")
        figure.savefig(path, metadata=_UNDATED.get(Path(path).suffix.lower()))


def _panels(result: Result, top: int) -> Iterator[_Panel]:
    curves = _sweep(result)
    if curves is not None:
        yield _Panel("expectation values", 3.0, partial(_draw_curves, curves))
    for index, program in enumerate(result.results):
        if program.error is not None:
            continue
        name = printable(program.header.name)
        before = f"{name}, program {index}: " if len(result.results) > 1 else ""
        for title, height, draw in _of_program(result, index, program, top):
            if curves is None or title != "expectation_values":
                yield _Panel(_short(before + printable(title)), height, draw)


def _of_program(
    result: Result, index: int, program: ExperimentResult, top: int
) -> Iterator[tuple[str, float, Callable[[Axes], None]]]:
    names = program.data.names()
    if "counts" in names:
        labels, numbers, total = _ranked_counts(result, index, top)
        title = f"counts of {total:,} shots"
        yield (
            title,
            _FRAME + _ROW * len(labels),
            partial(_draw_bars, labels, numbers / max(total, 1), "share"),
        )
    if program.data.has_state:
        state = program.data.statevector
        largest = _text.likeliest(np.abs(state) ** 2, top)
        draw = partial(_draw_amplitudes, state[largest], largest, max(state.size.bit_length() - 1, 1))
        yield "amplitudes", _FRAME + _ROW * largest.size, draw
    for name in names:
        if name in program.data.bit_names():
            rates = program.data.bits(name).mean(axis=0)
            yield f"{name}: how often 1", 2.2, partial(_draw_numbers, rates)
        elif name not in OWN or name == "unitary" or (name == "statevector" and not program.data.has_state):
            values = program.data.get(name)
            for outcome, array in values.items() if isinstance(values, dict) else [("", values)]:
                yield from _of_array(f"{name} {outcome}".rstrip(), np.asarray(array))


def _of_array(title: str, values: npt.NDArray[Any]) -> Iterator[tuple[str, float, Callable[[Axes], None]]]:
    """Yield what an array looks like: a matrix as colours, numbers as bars; what is neither isn't drawn."""
    if values.dtype.kind not in "fciub":
        return
    if values.ndim == 2 and values.shape[0] == values.shape[1] and values.dtype.kind == "c":
        yield title, 4.0, partial(_draw_matrix, values)
    elif values.ndim <= 1 and values.size:
        flat = values.reshape(-1)
        yield title, 2.2, partial(_draw_numbers, flat if flat.dtype.kind != "c" else np.abs(flat) ** 2)


def _ranked_counts(result: Result, index: int, top: int) -> tuple[list[str], npt.NDArray[np.int64], int]:
    outputs = result.get_outputs(index)
    counts: Any = outputs.counts if outputs.is_declared else counts_of(result, index)
    ranked = sorted(counts.items(), key=lambda item: -item[1])[:top]
    outcomes = [outcome for outcome, _ in ranked]
    labels = output_labels(outputs, outcomes)[1:] if outputs.is_declared else outcomes
    numbers = np.array([count for _, count in ranked], np.int64)
    return [_short(label) for label in labels], numbers, sum(counts.values())


def _sweep(result: Result) -> npt.NDArray[np.float64] | None:
    """Return expectation values of shape (programs, observables), when each of several programs has them."""
    rows = [
        np.atleast_1d(program.data.get("expectation_values"))
        for program in result.results
        if program.error is None and "expectation_values" in program.data.names()
    ]
    if len(rows) < 2 or len(rows) != len(result.results) or len({row.shape for row in rows}) > 1:
        return None
    return np.stack(rows).astype(np.float64)


def _draw_curves(values: npt.NDArray[np.float64], axes: Axes) -> None:
    for column in range(values.shape[1]):
        axes.plot(values[:, column], marker="." if len(values) <= _MOST_BARS else "", label=f"{column}")
    axes.set_xlabel("program")
    if 1 < values.shape[1] <= 12:
        axes.legend(title="observable", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_bars(labels: Sequence[str], shares: npt.NDArray[np.float64], what: str, axes: Axes) -> None:
    rows = np.arange(len(labels))
    bars = axes.barh(rows, shares, color=_BLUE, height=0.7)
    axes.bar_label(bars, labels=[f"{100 * share:.1f} %" for share in shares], padding=3, fontsize="small")
    axes.set_yticks(rows, labels, family="monospace")
    axes.invert_yaxis()
    axes.set_xlabel(what)
    axes.margins(x=0.12)


def _draw_amplitudes(
    values: npt.NDArray[np.complexfloating], largest: npt.NDArray[np.intp], qubits: int, axes: Axes
) -> None:
    """Draw probabilities as bars; the colour is the phase, on a wheel."""
    _draw_bars([f"|{index:0{qubits}b}>" for index in largest], np.abs(values) ** 2, "probability", axes)
    phases = ScalarMappable(Normalize(-np.pi, np.pi), "hsv")
    for bar, value in zip(axes.patches, values, strict=True):
        bar.set_facecolor(tuple(phases.to_rgba(np.angle(value))))
    _phase_bar(axes, phases)


def _draw_matrix(values: npt.NDArray[np.complexfloating], axes: Axes) -> None:
    """Draw a matrix: the colour of an element is its phase, and the stronger it is the larger its modulus."""
    phases = ScalarMappable(Normalize(-np.pi, np.pi), "hsv")
    colours = phases.to_rgba(np.angle(values))
    moduli = np.abs(values)
    colours[..., 3] = moduli / max(float(moduli.max(initial=0.0)), np.finfo(float).tiny)
    axes.imshow(colours, interpolation="nearest")
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    _phase_bar(axes, phases)


def _phase_bar(axes: Axes, phases: ScalarMappable) -> None:
    figure = axes.figure
    wheel = figure.colorbar(phases, ax=axes, label="phase", ticks=[-np.pi, 0, np.pi], aspect=12)
    wheel.ax.set_yticklabels(["-π", "0", "π"])


def _draw_numbers(values: npt.NDArray[Any], axes: Axes) -> None:
    places = np.arange(values.size)
    if values.size <= _MOST_BARS:
        axes.bar(places, values, color=_BLUE)
    else:
        axes.plot(places, values, color=_BLUE, linewidth=0.8)
    axes.set_xlabel("index")
    axes.axhline(0, color="black", linewidth=0.6)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
