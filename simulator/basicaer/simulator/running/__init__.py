"""Takes shots through the steps of a circuit, and keeps what they save.

The functions that run circuits may import it; it imports the compiler and the methods.
"""
