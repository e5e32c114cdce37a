"""Qiskit's circuits as the contract's; nothing of Qiskit is imported, its objects are told by their names.

`from_qiskit` is for the service's parsers too; the rest is for `jobs` and `basicaer.client.qiskit` alone.
"""
