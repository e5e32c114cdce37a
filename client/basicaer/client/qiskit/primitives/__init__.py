"""Qiskit's primitives, run natively by a server: the sampler, the estimator, and the jobs that they return.

`basicaer.client.qiskit` exports what users call; nobody else calls it.
"""
