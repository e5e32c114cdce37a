"""Which job runs next, and the threads that run them.

The manager makes the scheduler; what lets jobs in, runs or stops them, or tells of them asks it.
"""
