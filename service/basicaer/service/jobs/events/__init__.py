"""How readers hear of a job: its events as one reader sees them, and what passes meanwhile.

The manager gives watches out; those who wait for a job's end follow it by them.
"""
