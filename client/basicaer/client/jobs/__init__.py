"""Providers, backends and jobs, blocking and for asyncio, and what they send: what a user's program holds.

`basicaer.client` exports what users call; `basicaer.client.qiskit` may call the rest.
"""
