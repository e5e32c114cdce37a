"""Jobs: their states, their order, their events. `JobManager` is the only door to them; it speaks the
contract's messages.

The edge calls it with plain values and pb messages, gets pb messages back, and maps `ServiceError` to gRPC.
It neither knows of the store nor of threads.
"""

from ._entry import PublishedEvent
from ._manager import JobManager, Submission
from ._reading import ResultReading
from ._watch import Watch

__all__ = ["JobManager", "PublishedEvent", "ResultReading", "Submission", "Watch"]
