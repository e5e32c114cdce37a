"""What a circuit is: instructions in columns, operations, expressions, registers, and the table of gates.

Everything in the simulator may import it; it imports nothing but the errors.
"""
