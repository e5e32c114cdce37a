"""What is otherwise when several servers share a store: jobs are claimed from it, other servers' are
followed, and what was in this process's memory is asked for.

The manager makes a `Cluster` for such a store; the embedded one knows nothing of it.
"""
