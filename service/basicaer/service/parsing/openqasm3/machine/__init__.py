"""What a program becomes: the circuit that is made, what is known of its memory, and what gates are made of.

Only `openqasm3` itself may import this.
"""
