"""What numba lacks: functions kept on disk, vectors, counters between threads, cheap calls, aligned memory.

All of the engine may import it; it imports nothing of ours.
"""
