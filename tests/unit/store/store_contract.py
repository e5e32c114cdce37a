"""What every `JobStore` must do. A store's tests are a class that inherits this one and makes the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from basicaer.service.errors import ServiceError
from basicaer.service.store import (
    Barrier,
    DeleteJob,
    InsertJob,
    JobFilter,
    JobRecord,
    JobStore,
    Probe,
    Reclaim,
    StagedResult,
    SweepJob,
    UpdateJob,
    Write,
)

from tests.unit.store.conftest import Opened, finish, insert, update

NO_BYTES: Any = object()

# What no caller's call leads to, and each database refuses in its own way, before or after it was sent.
BROKEN: dict[str, Callable[[], Write]] = {
    "a surrogate in the principal": lambda: insert(1, principal="\ud800"),
    "a surrogate in a label": lambda: insert(1, labels={"k": "\ud800"}),
    "a label without a value": lambda: insert(1, labels={"k": None}),
    "a time beyond 64 bits": lambda: insert(1, create_time=2**63),
    "an attempt beyond 64 bits": lambda: update(0, attempt=2**64),
    "a reason that is no text": lambda: update(0, cancel_reason=object()),
    "an end of no type": lambda: finish(update, 0, result=StagedResult(NO_BYTES, None, 0)),
    "a surrogate in a sweep": lambda: SweepJob(
        job_id="\ud800", events=b"", sweep_time=None, drop_result=True
    ),
    "a surrogate in a deletion": lambda: DeleteJob(job_id="\ud800"),
    "a spec that is no bytes": lambda: insert(1, spec=3.5),
    "a job that is there": lambda: insert(0),
}


class StoreContract:
    """The tests."""

    def make(self, directory: Path) -> JobStore:
        """A store, not yet opened, that keeps its jobs at this place and finds those that are there."""
        raise NotImplementedError

    @pytest.fixture
    def its(self, tmp_path: Path) -> Iterator[Opened]:
        """An open store, whose writes can be waited for."""
        opened = Opened(tmp_path / "data", self.make)
        yield opened
        opened.store.close()

    def again(self, its: Opened) -> None:
        """Ends the store, and opens another at its place."""
        its.store.close()
        its.store = self.make(its.directory)
        its.store.open(its.committed)

    async def found(self, its: Opened, number: int) -> JobRecord | None:
        """The job as it is stored."""
        record = await its.store.find(f"job{number:05d}")
        assert record is None or isinstance(record, JobRecord)
        return record

    async def test_a_job_from_its_insertion_to_its_end(self, its: Opened) -> None:
        its.write(insert(1, labels={"a": "b"}, request_id="r", spec=b"s" * 10))
        record = await self.found(its, 1)
        assert record is not None
        assert (record.status, record.sequence, record.attempt, record.job) == (2, 1, 0, b"job")
        assert its.store.load_spec("job00001") == b"s" * 10
        its.write(update(1, cancel_reason="because", crashes=2))
        record = await self.found(its, 1)
        assert record is not None
        assert [record] == its.store.live_jobs()
        assert record.cancel_reason == "because"
        its.write(finish(update, 1, cancel_reason="because", result=StagedResult(b"result", None, 0)))
        assert its.store.live_jobs() == []
        # What was to be run isn't needed any more.
        assert its.store.load_spec("job00001") is None
        result = await its.store.open_result("job00001")
        assert result is not None
        assert result.message == b"result"
        result.close()
        (write,) = its.write(DeleteJob(job_id="job00001"))
        assert write.applied
        assert await self.found(its, 1) is None
        assert await its.store.list_jobs(JobFilter(labels={"a": "b"}), 10, 1 << 30) == []
        (write,) = its.write(DeleteJob(job_id="job00001"))
        assert not write.applied
        assert its.write(insert(2, request_id="r"))[0].existing is None

    async def test_a_request_id_is_taken_once(self, its: Opened) -> None:
        writes = its.write(
            insert(1, request_id="r", request_hash=b"1"),
            insert(2, request_id="r", request_hash=b"2"),
            insert(3, request_id="r", principal="p"),
            insert(4),
            insert(5),
        )
        existing = [write.existing and write.existing.job_id for write in writes]
        assert existing == [None, "job00001", None, None, None]
        assert writes[1].existing.request_hash == b"1"
        assert await self.found(its, 2) is None
        assert await its.store.find_request("", "r") == writes[1].existing
        other = await its.store.find_request("p", "r")
        assert other is not None
        assert other.job_id == "job00003"
        assert await its.store.find_request("", "s") is None

    async def test_final_states_and_later_attempts_are_fences(self, its: Opened) -> None:
        its.write(insert(1), insert(2))
        writes = its.write(
            update(1, attempt=2, job=b"second"),
            update(1, attempt=1, job=b"late"),
            update(1, attempt=2, sequence=3, job=b"more"),
            finish(update, 1, attempt=2, job=b"end"),
            finish(update, 1, attempt=3, job=b"after", result=StagedResult(b"x", None, 0)),
        )
        assert [write.applied for write in writes] == [True, False, True, True, False]
        record = await self.found(its, 1)
        assert record is not None
        assert record.job == b"end"
        assert await its.store.open_result("job00001") is None
        writes = its.write(update(3), DeleteJob(job_id="job00002"))
        assert [write.applied for write in writes] == [False, False]

    async def test_what_was_committed_is_there_for_the_next(self, its: Opened) -> None:
        staged = its.store.stage_result(
            "job00001", 1, [b"mess", b"age"], [memoryview(b"first"), memoryview(b"2")]
        )
        its.write(insert(1, request_id="r"), insert(2, spec=b"two"), finish(update, 1, result=staged))
        self.again(its)
        assert [record.job_id for record in its.store.live_jobs()] == ["job00002"]
        assert its.store.load_spec("job00002") == b"two"
        assert its.write(insert(3, request_id="r"))[0].existing.job_id == "job00001"
        result = await its.store.open_result("job00001")
        assert result is not None
        assert (result.message, result.read(0, 5), result.read_checked(5, 1)) == (b"message", b"first", b"2")
        result.close()
        result.close()
        its.write(SweepJob(job_id="job00001", events=b"", sweep_time=None, drop_result=True))
        assert await its.store.open_result("job00001") is None

    async def test_lists_are_filtered_and_the_newest_come_first(self, its: Opened) -> None:
        jobs = [
            insert(number, principal="ab"[number % 2], labels={"odd": str(number % 2)}, create_time=number)
            for number in range(6)
        ]
        its.write(*jobs, update(3))

        async def listed(limit: int = 10, most_bytes: int = 1 << 30, **fields: object) -> list[int]:
            job_filter = JobFilter(**fields)  # type: ignore[arg-type]  # the fields have many types
            found = await its.store.list_jobs(job_filter, limit, most_bytes)
            return [int(record.job_id.removeprefix("job")) for record in found]

        assert await listed() == [5, 4, 3, 2, 1, 0]
        assert await listed(limit=2) == [5, 4]
        # The one that goes beyond is the last.
        assert await listed(most_bytes=7) == [5, 4, 3]
        assert await listed(principal="a") == [4, 2, 0]
        assert await listed(labels={"odd": "1"}, before_job_id="job00005") == [3, 1]
        assert await listed(statuses=(4,)) == [3]
        assert await listed(create_time_from=2, create_time_before=4) == [3, 2]

    async def test_a_principals_list_has_its_own_jobs_alone(self, its: Opened) -> None:
        its.write(*(insert(number, principal="pq"[number % 2], labels={"a": "b"}) for number in range(6)))
        more: dict[str, Any]
        for more in ({}, {"statuses": (2,)}, {"labels": {"a": "b"}}, {"backend_name": "script"}):
            found = await its.store.list_jobs(JobFilter(principal="q", **more), 10, 1 << 30)
            assert [record.job_id for record in found] == ["job00005", "job00003", "job00001"]
            assert {record.principal for record in found} == {"q"}
        assert len(await its.store.list_jobs(JobFilter(statuses=(2, 4)), 10, 1 << 30)) == 6
        assert not await its.store.list_jobs(JobFilter(principal=""), 10, 1 << 30)

    async def test_the_due_are_those_whose_time_has_come(self, its: Opened) -> None:
        its.write(*(insert(number) for number in range(4)))
        its.write(
            *(finish(update, number, sweep_time=time) for number, time in ((0, 30), (1, 10), (2, None)))
        )
        due = await its.store.due_jobs(10, 5)
        assert [record.job_id for record in due] == ["job00001"]
        assert len(await its.store.due_jobs(40, 5)) == 2

    def test_writes_come_back_in_their_order(self, its: Opened) -> None:
        writes: list[InsertJob | UpdateJob | Barrier | Probe] = [insert(number) for number in range(20)]
        writes[7:7] = [Barrier(), Probe()]
        for number, write in enumerate(writes):
            write.tag = number
        assert [write.tag for write in its.write(*writes)] == list(range(22))
        assert all(write.error is None for write in writes)

    async def test_a_sweep_thins_a_final_job(self, its: Opened) -> None:
        staged = its.store.stage_result("job00001", 1, [b"message"], [memoryview(b"part")])
        its.write(insert(1), finish(update, 1, sweep_time=20, result=staged))
        its.write(SweepJob(job_id="job00001", events=b"less", sweep_time=30, drop_result=False))
        assert await its.store.due_jobs(20, 10) == []
        record = await self.found(its, 1)
        assert record is not None
        assert (record.events, record.job) == (b"less", b"job running")
        assert [record.job_id for record in await its.store.oldest_files(5)] == ["job00001"]
        its.write(SweepJob(job_id="job00001", events=b"l", sweep_time=None, drop_result=True, job=b"expired"))
        record = await self.found(its, 1)
        assert record is not None
        assert (record.events, record.job) == (b"l", b"expired")
        assert await its.store.open_result("job00001") is None
        assert await its.store.oldest_files(5) == []
        assert (await its.store.used_bytes())[1] == 0
        assert [record.job_id for record in await its.store.old_jobs("job00002", 5)] == ["job00001"]

    @pytest.mark.parametrize("size", [1, 40_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 17])
    async def test_specs_and_results_of_any_size(self, its: Opened, size: int) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        part, message = data[:size], data[:size][::-1]
        its.write(insert(1, spec=part))
        assert its.store.load_spec("job00001") == part
        staged = its.store.stage_result(
            "job00001", 1, [message[:5], message[5:]], [memoryview(part), memoryview(b"end")]
        )
        its.write(finish(update, 1, result=staged))
        self.again(its)
        result = await its.store.open_result("job00001")
        assert result is not None
        assert result.message == message
        assert result.read(0, size) == part
        assert result.read(size, 3) == b"end"
        for offset in (0, 1, size // 2, size - 1, size + 2):
            wanted = (part + b"end")[offset : offset + 1000]
            assert result.read_checked(offset, len(wanted)) == wanted
            assert result.read(offset, len(wanted)) == wanted
        result.close()

    async def test_an_attempt_that_was_not_committed_leaves_no_result(self, its: Opened) -> None:
        its.write(insert(1), insert(2))
        first = its.store.stage_result("job00001", 1, [b""], [memoryview(b"first")])
        second = its.store.stage_result("job00001", 2, [b""], [memoryview(b"second")])
        # The same attempt again: its first try couldn't be committed.
        second = its.store.stage_result("job00001", 2, [b""], [memoryview(b"second")])
        its.write(finish(update, 1, attempt=2, result=second))
        its.store.discard_result(first)
        its.store.stage_result("job00002", 1, [b""], [memoryview(b"never committed")])
        self.again(its)
        result = await its.store.open_result("job00001")
        assert result is not None
        assert result.read(0, 100) == b"second"
        result.close()
        assert await its.store.open_result("job00002") is None
        assert (await its.store.used_bytes())[1] == 6

    def test_a_lazy_update_that_became_needless_is_left_out(
        self, its: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Longer than it may take until the end is handed over.
        for writer in ("sqlite", "postgresql"):
            monkeypatch.setattr(f"basicaer.service.store.{writer}._writer._LAZINESS", 3.0)
        its.write(insert(1), insert(2))
        lazy = [update(number, lazy=True) for number in (1, 2)]
        end = finish(update, 1)
        for write in (*lazy, end):
            its.store.write(write)
        came = its.committed.wait(2)
        # Job 2's may have come with job 1's end or after it; job 1's never comes.
        assert lazy[0] not in came
        assert {id(write) for write in came} == {id(end), id(lazy[1])}

    async def test_lazy_updates_are_committed_at_the_end(self, its: Opened) -> None:
        its.write(insert(1))
        its.store.write(update(1, lazy=True))
        self.again(its)
        record = await self.found(its, 1)
        assert record is not None
        assert record.status == 4

    def test_room_is_given_back_until_there_is_none(self, its: Opened) -> None:
        its.write(insert(1, spec=bytes(100_000)), DeleteJob(job_id="job00001", damaged=True))
        reclaim = Reclaim(more=True)
        while reclaim.more:
            its.write(reclaim)
            assert reclaim.error is None

    def test_a_barrier_comes_back_after_all_before_it(self, its: Opened) -> None:
        barrier = Barrier()
        assert its.write(insert(1), insert(2), barrier)[-1] is barrier

    @pytest.mark.parametrize("name", BROKEN)
    @pytest.mark.parametrize("alone", [True, False])
    async def test_a_broken_write_fails_alone(self, its: Opened, name: str, alone: bool) -> None:
        its.write(insert(0))
        broken = BROKEN[name]()
        others = [] if alone else [insert(number) for number in range(2, 6)]
        writes = its.write(*others[:2], broken, *others[2:])
        assert isinstance(broken.error, ServiceError)
        assert [write.error for write in writes if write is not broken] == [None] * len(others)
        (write,) = its.write(insert(9))
        assert write.error is None
        record = await self.found(its, 9)
        assert record is not None
        assert record.job == b"job"

    async def test_any_text_is_kept(self, its: Opened) -> None:
        text = "a\0b é \U0001f980 \x1b"
        its.write(
            insert(1, principal=text, request_id=text, labels={text: text}), update(1, cancel_reason=text)
        )
        record = await self.found(its, 1)
        assert record is not None
        assert (record.principal, record.cancel_reason) == (text, text)
        listed = await its.store.list_jobs(JobFilter(principal=text, labels={text: text}), 5, 1 << 20)
        assert listed == [record]
        assert (await its.store.find_request(text, text)) is not None

    def test_a_listener_that_fails_does_not_stop_the_store(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        called = threading.Semaphore(0)

        def listener(writes: Any) -> None:
            called.release()
            raise ValueError("a defect")

        store = self.make(tmp_path)
        store.open(listener)
        for number in range(2):
            store.write(insert(number))
            assert called.acquire(timeout=60)
        store.close()
        assert "a defect" in caplog.text
