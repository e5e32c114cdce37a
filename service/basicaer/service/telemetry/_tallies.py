"""Counters and histograms that cost a tenth of a microsecond, for what happens thousands of times a second.

prometheus-client's own take a lock for each number, so that any thread may count: of a small job's 100 µs in
the job engine they took 20. Here each has one writer, a thread or the event loop, and needs no lock; a scrape
reads whatever is there. How they look to Prometheus is prometheus-client's again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

__all__ = ["Counter", "Counters", "Histogram", "Histograms"]

_Child = TypeVar("_Child", "Counter", "Histogram")


class Counter:
    """A number that grows. One thread writes."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self, amount: int = 1) -> None:
        """Add to it."""
        self.value += amount


class Histogram:
    """How many values there were up to each bound. One thread writes."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        # The last is for what exceeds all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Note a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class _Family(Generic[_Child]):
    """A metric with a child for each combination of its labels' values that has occurred."""

    def __init__(
        self, name: str, meaning: str, label_names: Sequence[str], make: Callable[[], _Child]
    ) -> None:
        self._make: Callable[[], _Child] = make
        self.name = name
        self.meaning = meaning
        self.label_names = tuple(label_names)
        self._children: dict[tuple[str, ...], _Child] = {}
        if not label_names:
            # What has no labels is there from the start.
            self.labels()

    def labels(self, *values: str) -> _Child:
        """Return the child of these values. One thread asks."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._make()
        return child


class Counters(_Family[Counter]):
    """A counter for each combination of labels."""

    def __init__(self, name: str, meaning: str, label_names: Sequence[str] = ()) -> None:
        super().__init__(name, meaning, label_names, Counter)

    def family(self) -> CounterMetricFamily:
        """Return it as it is now."""
        found = CounterMetricFamily(self.name, self.meaning, labels=self.label_names)
        for values, child in list(self._children.items()):
            found.add_metric(values, child.value)
        return found


class Histograms(_Family[Histogram]):
    """A histogram for each combination of labels."""

    def __init__(
        self, name: str, meaning: str, bounds: Sequence[float], label_names: Sequence[str] = ()
    ) -> None:
        self._bounds = bounds
        super().__init__(name, meaning, label_names, lambda: Histogram(bounds))

    def family(self) -> HistogramMetricFamily:
        """Return it as it is now."""
        found = HistogramMetricFamily(self.name, self.meaning, labels=self.label_names)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for values, child in list(self._children.items()):
            sums = accumulate(list(child.counts))
            found.add_metric(values, list(zip(names, sums, strict=True)), child.total)
        return found
