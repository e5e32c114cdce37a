"""Classical values while a circuit runs: what expressions mean, and how values of one type become others.

The compiler and what runs shots may import it; it imports the circuit.
"""
