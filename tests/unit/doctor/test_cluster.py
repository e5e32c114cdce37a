"""What doctor says of servers and workers that share a database."""

from __future__ import annotations

import pytest
from basicaer.service.doctor import Part, Verdict, cluster

GIB = 1 << 30
SERVER = Part("a:1", "a:50051", "2.0", 0, GIB, 9.0)
WORKER = Part("b:2", "", "2.0", 4, GIB, 8.5)


def verdicts(
    *parts: Part, waiting: int = 0, largest_bytes: int = 0, most_nodes: int = 1
) -> list[tuple[Verdict, str, str]]:
    found = list(cluster(parts, waiting, largest_bytes, most_nodes))
    assert {one.check for one in found} == {"members"}
    assert all(bool(one.remedy) == (one.verdict is not Verdict.OK) for one in found)
    return [(one.verdict, one.seen, one.remedy) for one in found]


def test_all_are_there() -> None:
    ((verdict, seen, _),) = verdicts(SERVER, WORKER)
    assert verdict is Verdict.OK
    assert seen == "1 take calls, 1 run jobs: a:1 (2.0, at a:50051, lease 9.0 s), b:2 (2.0, lease 8.5 s)"


def test_a_service_that_is_not_started() -> None:
    assert verdicts() == [(Verdict.OK, "0 take calls, 0 run jobs", "")]


@pytest.mark.parametrize(
    ("parts", "waiting", "verdict", "text"),
    [
        ((), 3, Verdict.FAILED, "3 jobs wait, and nobody runs jobs"),
        ((SERVER,), 0, Verdict.FAILED, "; nobody runs jobs"),
        ((SERVER, WORKER._replace(lease=-1.0)), 2, Verdict.FAILED, "its lease has ended); 2 jobs wait"),
        ((WORKER,), 0, Verdict.WARNING, "nobody takes calls"),
    ],
)
def test_somebody_is_missing(parts: tuple[Part, ...], waiting: int, verdict: Verdict, text: str) -> None:
    ((found, seen, _),) = verdicts(*parts, waiting=waiting)
    assert found is verdict
    assert text in seen


def test_versions_differ() -> None:
    _, (verdict, seen, _) = verdicts(SERVER, WORKER._replace(version="2.1"))
    assert (verdict, seen) == (Verdict.WARNING, "they are of versions 2.0, 2.1")


def test_jobs_that_nobody_could_hold() -> None:
    _, (verdict, seen, remedy) = verdicts(SERVER._replace(memory_bytes=2 * GIB), WORKER)
    assert verdict is Verdict.WARNING
    assert seen.startswith("a:1 accept jobs")
    assert f"--max-memory-bytes {GIB}" in remedy
    _, (verdict, seen, _) = verdicts(SERVER, WORKER, waiting=1, largest_bytes=GIB + 1)
    assert verdict is Verdict.WARNING
    assert "nobody has more than" in seen


def test_nobody_has_the_nodes_for_a_job() -> None:
    *_, (verdict, seen, remedy) = verdicts(SERVER, WORKER, waiting=1, most_nodes=4)
    assert verdict is Verdict.WARNING
    assert seen == "a job waits that is spread over 4 nodes, and nobody runs jobs over more than 1"
    assert "--max-nodes 4" in remedy
    spreads = Part("c:3", "", "2.0", 4, GIB, 8.5, max_nodes=4)
    assert [one for one, *_ in verdicts(SERVER, spreads, waiting=1, most_nodes=4)] == [Verdict.OK]
