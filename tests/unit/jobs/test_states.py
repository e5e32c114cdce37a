"""The table of statuses against what the contract promises."""

from __future__ import annotations

import pytest
from basicaer.service.jobs.model import states
from basicaer.service.jobs.model.clock import JobClock, id_floor
from basicaer.v1.job_pb2 import JobStatus
from hypothesis import given, settings
from hypothesis import strategies as st


def test_every_status_has_its_row() -> None:
    assert set(states.TRANSITIONS) == set(JobStatus.values()) - {0}
    assert {JobStatus.Name(status) for status in states.FINAL} == {
        "JOB_STATUS_CANCELLED",
        "JOB_STATUS_DONE",
        "JOB_STATUS_ERROR",
    }


def test_every_live_status_can_reach_each_final_one() -> None:
    for status in set(states.TRANSITIONS) - states.FINAL:
        reached = {status}
        while new := {after for one in reached for after in states.TRANSITIONS[one]} - reached:
            reached |= new
        assert reached >= states.FINAL


@settings(deadline=None)
@given(st.sampled_from(JobStatus.values()[1:]), st.sampled_from(JobStatus.values()[1:]))
def test_only_the_table_decides(status: JobStatus.ValueType, following: JobStatus.ValueType) -> None:
    if following in states.TRANSITIONS[status]:
        states.check(status, following)
    else:
        with pytest.raises(RuntimeError, match=JobStatus.Name(following)):
            states.check(status, following)


def test_ids_sort_by_time_even_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10**18, 10**18, 10**18 - 5_000_000, 10**18 + 244, *range(10**18, 10**18 + 1000)])
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    clock = JobClock()
    made = [clock.next() for _ in range(1000)]
    assert made == sorted(made)
    assert len({job_id for job_id, _ in made}) == 1000
    for job_id, time_ns in made:
        assert len(job_id) == 32
        assert id_floor(time_ns) <= job_id < id_floor(time_ns + 1_000_000)
