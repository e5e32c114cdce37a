"""How well a surface code keeps a bit: logical error rates at distances 3 and 5, and where they cross.

python memory_experiment.py HOST:PORT [--shots 100000] [--plot CURVES.png]

Takes some three minutes, most of which are the decoder's. It needs stim, which says from a circuit which
errors its detectors tell of, PyMatching, which decodes by them, and matplotlib for a plot.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pymatching
import stim
from basicaer.client import BasicAerProvider

DISTANCES = (3, 5)
RATES = (0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.010, 0.012)

Place = tuple[int, int]
# Of a check the data qubits around it, in the order in which it meets them. An error of its own qubit spreads
# from half-way on to the last two, which lie across the logical operator of that kind, and not along it.
AROUND = {"X": ((1, 1), (-1, 1), (1, -1), (-1, -1)), "Z": ((1, 1), (1, -1), (-1, 1), (-1, -1))}


def memory_experiment(distance: int, rounds: int, rate: float) -> str:
    """Return a rotated surface code that keeps a logical 0, in stim's language.

    Every reset, gate and measurement fails at `rate`, and so do data qubits that wait for the next round.
    """
    data = [(x, y) for x in range(1, 2 * distance, 2) for y in range(1, 2 * distance, 2)]
    checks = dict(_checks(distance))
    numbers = {place: number for number, place in enumerate([*data, *checks])}
    of_x = _list(numbers[place] for place, kind in checks.items() if kind == "X")
    all_data, all_checks = (_list(numbers[place] for place in places) for places in (data, checks))

    def around(place: Place, step: int) -> Place:
        x, y = AROUND[checks[place]][step]
        return place[0] + x, place[1] + y

    measure = [f"DEPOLARIZE1({rate}) {all_data}", f"H {of_x}", f"DEPOLARIZE1({rate}) {of_x}"]
    for step in range(4):
        pairs: list[int] = []
        for place, kind in checks.items():
            if (other := around(place, step)) in numbers:
                pair = (numbers[place], numbers[other])
                pairs += pair if kind == "X" else reversed(pair)
        measure += ["TICK", f"CX {_list(pairs)}", f"DEPOLARIZE2({rate}) {_list(pairs)}"]
    measure += ["TICK", f"H {of_x}", f"DEPOLARIZE1({rate}) {of_x}"]
    measure += [f"X_ERROR({rate}) {all_checks}", f"MR {all_checks}", f"X_ERROR({rate}) {all_checks}"]

    count = len(checks)
    back = {place: count - number for number, place in enumerate(checks)}
    lines = [f"R {all_data} {all_checks}", f"X_ERROR({rate}) {all_data} {all_checks}", *measure]
    # At first the checks of X are random, and those of Z are as the resets have made them.
    lines += [f"DETECTOR rec[-{back[place]}]" for place, kind in checks.items() if kind == "Z"]
    if rounds > 1:
        lines += [f"REPEAT {rounds - 1} {{", *measure]
        lines += [f"DETECTOR rec[-{back[place]}] rec[-{back[place] + count}]" for place in checks]
        lines += ["}"]
    lines += [f"X_ERROR({rate}) {all_data}", f"M {all_data}"]
    last = {place: len(data) - number for number, place in enumerate(data)}
    for place, kind in checks.items():
        if kind == "Z":
            records = [last[other] for step in range(4) if (other := around(place, step)) in last]
            lines.append("DETECTOR " + _records([*records, back[place] + len(data)]))
    lines.append("OBSERVABLE_INCLUDE(0) " + _records([last[x, y] for x, y in data if y == 1]))
    return "\n".join(lines)


def _checks(distance: int) -> Iterator[tuple[Place, str]]:
    """Yield the places of checks, between the data qubits, with what they check: X and Z by turns.

    Of the edge's, two sides have those of Z alone, and two those of X.
    """
    for x in range(0, 2 * distance + 1, 2):
        for y in range(0, 2 * distance + 1, 2):
            kind = "X" if (x + y) // 2 % 2 else "Z"
            at_x, at_y = x in (0, 2 * distance), y in (0, 2 * distance)
            if not (at_x and kind == "X") and not (at_y and kind == "Z"):
                yield (x, y), kind


def _list(numbers: Iterator[int] | Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _records(backward: Sequence[int]) -> str:
    return " ".join(f"rec[-{number}]" for number in backward)


def logical_errors(text: str, detectors: np.ndarray, observables: np.ndarray) -> int:
    """Return in how many shots the decoder tells the observable wrong."""
    model = stim.Circuit(text).detector_error_model(decompose_errors=True)
    told = pymatching.Matching.from_detector_error_model(model).decode_batch(detectors)
    return int((told[:, 0].astype(bool) != observables[:, 0]).sum())


def plot(found: dict[int, list[float]], rates: Sequence[float], shots: int, path: Path) -> None:
    """Draw the curves into a file."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    for distance, errors in found.items():
        spread = [max(error * (1 - error) / shots, 0) ** 0.5 for error in errors]
        axes.errorbar(rates, errors, spread, marker="o", capsize=3, label=f"distance {distance}")
    axes.set(xscale="log", yscale="log", xlabel="physical error rate", ylabel="logical error rate")
    axes.legend()
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.savefig(path)


def main() -> None:
    """Sample every circuit by one job, decode, and show the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address", metavar="HOST:PORT", help="the server")
    parser.add_argument("--shots", type=int, default=100_000, help="of each circuit")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="physical error rates")
    parser.add_argument("--plot", type=Path, metavar="CURVES.png", help="where to draw the curves")
    arguments = parser.parse_args()

    cases = [(distance, rate) for distance in DISTANCES for rate in arguments.rates]
    texts = [memory_experiment(distance, distance, rate) for distance, rate in cases]
    with BasicAerProvider(arguments.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        result = backend.run(texts, shots=arguments.shots, seed_simulator=7).result()

    found: dict[int, list[float]] = {distance: [] for distance in DISTANCES}
    for index, ((distance, _), text) in enumerate(zip(cases, texts, strict=True)):
        wrong = logical_errors(text, result.get_detectors(index), result.get_observables(index))
        found[distance].append(wrong / arguments.shots)
    print("physical  " + "  ".join(f"distance {distance}" for distance in DISTANCES))
    for number, rate in enumerate(arguments.rates):
        print(f"{rate:8.4f}  " + "  ".join(f"{found[distance][number]:10.5f}" for distance in DISTANCES))
    below = [rate for number, rate in enumerate(arguments.rates) if found[5][number] < found[3][number]]
    if below:
        print(f"distance 5 keeps the bit better up to {max(below):g}")
    if arguments.plot:
        plot(found, arguments.rates, arguments.shots, arguments.plot)


if __name__ == "__main__":
    main()
