"""How a job gets in: who may come, its check on a thread, and its way to the store.

Only the manager calls it, by `Admission`.
"""
