"""What comes back: counts, arrays and whole results in Qiskit's forms, made of the wire's messages.

`basicaer.client` exports what users call; `jobs`, `transport` and `qiskit` may call the rest.
"""
