"""One attempt at a job, and all that begins, ends or prevents it: recovery, cancelling, time limits, the end.

The scheduler's threads run `Runner`, as the intake does for quick jobs; the rest is for the manager.
"""
