"""Jobs: their states, their order, their events. `JobManager` is the only door to them; it speaks the
contract's messages.

The edge calls it with plain values and pb messages, gets pb messages back, and maps `ServiceError` to gRPC.
It neither knows of the store nor of threads.
"""

from basicaer.service.jobs._manager import JobManager, Submission
from basicaer.service.jobs.events.watch import DEFAULT_HEARTBEAT, Watch
from basicaer.service.jobs.kept.reading import ResultReading
from basicaer.service.jobs.model.event import PublishedEvent

__all__ = ["DEFAULT_HEARTBEAT", "JobManager", "PublishedEvent", "ResultReading", "Submission", "Watch"]
