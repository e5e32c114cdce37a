"""The ways to hold a quantum state and to apply gates to it; each has a folder.

The compiler and what runs steps import `interface` alone, the functions that run circuits a method.
"""
