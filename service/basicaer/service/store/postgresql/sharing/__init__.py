"""What servers on one database need of it beside jobs: leases, claims, and what they tell each other.

The store gives it out as its `SharedStore`.
"""
