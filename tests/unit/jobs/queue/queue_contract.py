"""What every `JobQueue` must do. A queue's tests are a class that inherits this one and makes the queue."""

from __future__ import annotations

from basicaer.service.jobs.model.entry import JobEntry
from basicaer.service.jobs.queue.interface import JobQueue
from basicaer.v1 import job_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

MEMORY = 100
JOBS = st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(1, MEMORY))
# Jobs that are added, memory that is free at a turn, or which of those that wait leaves.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(JOBS, min_size=1, max_size=4)),
        st.tuples(st.just("take"), st.integers(0, MEMORY)),
        st.tuples(st.just("remove"), st.integers(0, 100)),
    ),
    max_size=40,
)


def entry(name: str, size: int = 1, principal: str = "") -> JobEntry:
    """A job that waits."""
    job = job_pb2.Job(job_id=name, required_bytes=size, status=job_pb2.JOB_STATUS_QUEUED)
    return JobEntry(job, principal)


def names(queue: JobQueue) -> list[str]:
    """The ids of the jobs that wait, in their order."""
    return [waiting.job_id for waiting in queue.in_order()]


class QueueContract:
    """The tests."""

    def make(self, max_overtakes: int) -> JobQueue:
        """An empty queue."""
        raise NotImplementedError

    def taken(self, queue: JobQueue, free_bytes: int = MEMORY) -> str | None:
        """The id of the job that is taken."""
        found = queue.take(free_bytes)
        return None if found is None else found.job_id

    def test_an_empty_queue_has_nothing_to_give(self) -> None:
        queue = self.make(3)
        assert len(queue) == 0
        assert names(queue) == []
        assert queue.take(MEMORY) is None
        assert not queue.remove(entry("a"))
        assert queue.waiting_of("") == 0
        assert queue.waiting_by_principal() == {}

    def test_first_come_first_served(self) -> None:
        queue = self.make(3)
        queue.add([entry("a"), entry("b")])
        queue.add([entry("c")])
        assert names(queue) == ["a", "b", "c"]
        assert [self.taken(queue) for _ in range(4)] == ["a", "b", "c", None]

    def test_principals_take_turns(self) -> None:
        queue = self.make(3)
        queue.add([entry(name, principal=name[0]) for name in ("a1", "a2", "a3", "b1", "c1", "b2")])
        expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
        assert names(queue) == expected
        assert [queue.waiting_of(name) for name in "abcd"] == [3, 2, 1, 0]
        assert queue.waiting_by_principal() == {"a": 3, "b": 2, "c": 1}
        assert [self.taken(queue) for _ in expected] == expected

    def test_who_was_served_waits_for_the_others(self) -> None:
        queue = self.make(3)
        queue.add([entry("a1", principal="a"), entry("a2", principal="a")])
        assert self.taken(queue) == "a1"
        queue.add([entry("b1", principal="b")])
        # a2 was first all the time; b gets the next turn.
        assert names(queue) == ["a2", "b1"]
        queue.add([entry("a3", principal="a")])
        assert [self.taken(queue) for _ in range(3)] == ["a2", "b1", "a3"]

    def test_a_newcomer_is_told_how_many_are_ahead(self) -> None:
        queue = self.make(3)
        queue.add([entry("a0", principal="a")])
        jobs = [entry(name, principal=name[0]) for name in ("a1", "a2", "b1", "b2")]
        for job in jobs:
            queue.add([job])
        assert [job.position for job in jobs] == [1, 2, 1, 3]

    def test_what_fits_goes_past_the_first_a_bounded_number_of_times(self) -> None:
        queue = self.make(2)
        queue.add([entry("large", 90), *(entry(f"small{number}", 10) for number in range(4))])
        assert [self.taken(queue, 50) for _ in range(3)] == ["small0", "small1", None]
        assert self.taken(queue, 90) == "large"
        # The next one's count begins anew.
        assert [self.taken(queue, 50) for _ in range(2)] == ["small2", "small3"]

    def test_nobody_goes_past_where_that_is_not_allowed(self) -> None:
        queue = self.make(0)
        large = entry("large", 90)
        queue.add([large, entry("small", 10)])
        assert queue.take(50) is None
        assert queue.remove(large)
        assert self.taken(queue, 50) == "small"

    def test_what_was_removed_is_gone(self) -> None:
        queue = self.make(3)
        jobs = [entry(name) for name in "abc"]
        queue.add(jobs)
        assert queue.remove(jobs[1])
        assert not queue.remove(jobs[1])
        assert jobs[1] not in queue
        assert jobs[0] in queue
        assert [self.taken(queue) for _ in range(3)] == ["a", "c", None]
        assert not queue.remove(jobs[0])

    @settings(deadline=None, max_examples=100)
    @given(STEPS, st.integers(0, 3))
    def test_every_job_waits_until_it_is_taken_or_removed(
        self, steps: list[tuple[str, object]], most: int
    ) -> None:
        """Against a list of those that wait, for each principal in the order in which they came."""
        queue = self.make(most)
        waiting: dict[str, list[JobEntry]] = {}
        made = 0
        for step, argument in steps:
            before = queue.version
            first = next(queue.in_order(), None)
            if step == "add":
                assert isinstance(argument, list)
                new = [entry(str(made + count), size, who) for count, (who, size) in enumerate(argument)]
                made += len(new)
                queue.add(new)
                for job in new:
                    waiting.setdefault(job.principal, []).append(job)
            elif step == "take":
                assert isinstance(argument, int)
                taken = queue.take(argument)
                if taken is not None:
                    assert taken.required_bytes <= argument
                    assert queue.version != before
                    waiting[taken.principal].remove(taken)
                else:
                    # Never when the first fits.
                    assert first is None or first.required_bytes > argument
            elif made:
                assert isinstance(argument, int)
                everybody = [job for own in waiting.values() for job in own]
                if everybody:
                    job = everybody[argument % len(everybody)]
                    assert queue.remove(job)
                    assert queue.version != before
                    waiting[job.principal].remove(job)
            order = list(queue.in_order())
            assert len(order) == len(queue) == sum(map(len, waiting.values()))
            for principal, own in waiting.items():
                assert [job for job in order if job.principal == principal] == own
                assert queue.waiting_of(principal) == len(own)
            # Nobody is served twice before another who waits is served once.
            turns = [job.principal for job in order]
            for place in range(len(turns)):
                served = [turns[:place].count(who) for who in set(turns[place:])]
                assert max(served, default=0) - min(served, default=0) <= 1
