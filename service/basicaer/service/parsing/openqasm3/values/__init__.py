"""The language's types, and what operators and functions make of values, known ones and others alike.

Only `openqasm3` itself may import this.
"""
