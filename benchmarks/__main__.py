"""Prints the service's figures: `python -m benchmarks [part …]`, where the parts are those of `PARTS`.

Without names those are measured that need nothing beside the service; a cluster's need PostgreSQL's server.
"""

from __future__ import annotations

import sys

from benchmarks import _conversion, _import, _openqasm3, _qiskit, _texts
from benchmarks.cluster import _claims, _news, _ray_result
from benchmarks.cluster import _run_job as _cluster_run_job
from benchmarks.service import (
    _blown_up,
    _busy,
    _cold,
    _overload,
    _page,
    _run_job,
    _state_stream,
    _watchers,
    _web,
)
from benchmarks.states import _expectations, _spread

PARTS = {
    "import": _import.measure,
    "conversion": _conversion.measure,
    "qiskit": _qiskit.measure,
    "expectations": _expectations.measure,
    "spread": _spread.measure,
    "run_job": _run_job.measure,
    "watchers": _watchers.measure,
    "web": _web.measure,
    "page": _page.measure,
    "overload": _overload.measure,
    "state_stream": _state_stream.measure,
    "busy": _busy.measure,
    "texts": _texts.measure,
    "openqasm3": _openqasm3.measure,
    "blown_up": _blown_up.measure,
    "cold": _cold.measure,
    "cluster_run_job": _cluster_run_job.measure,
    "cluster_news": _news.measure,
    "cluster_claims": _claims.measure,
    "cluster_ray_result": _ray_result.measure,
}
CLUSTER = [name for name in PARTS if name.startswith("cluster_")]


def main(names: list[str]) -> int:
    """Measures the named parts, or all but a cluster's; returns 1 when a figure misses its bound."""
    names = [each for name in names for each in (CLUSTER if name == "cluster" else [name])]
    if unknown := set(names) - set(PARTS):
        print(
            f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}, cluster",
            file=sys.stderr,
        )
        return 2
    holds = True
    for name in names or [part for part in PARTS if part not in CLUSTER]:
        for figure in PARTS[name]():
            print(figure.row(), flush=True)
            holds = holds and figure.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
