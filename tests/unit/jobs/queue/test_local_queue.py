"""The queue of one process does what every queue must."""

from __future__ import annotations

from basicaer.service.jobs.queue.interface import JobQueue
from basicaer.service.jobs.queue.local import LocalQueue

from tests.unit.jobs.queue.queue_contract import QueueContract


class TestLocalQueue(QueueContract):
    def make(self, max_overtakes: int) -> JobQueue:
        return LocalQueue(max_overtakes)
