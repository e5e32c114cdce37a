"""Density matrices, as vectors of coefficients that the state vector's engine takes: exact noise.

A state of n qubits is the sum of c[x, z] X^x Z^z / 2^n. Qubit q has two wires, the bit x_q at q and the bit
z_q at n + q. In this basis channels of Pauli operators are diagonal, and a CX is two. `_lowering` turns gates
and channels into gates on wires, which needn't be unitary; `_state` does everything else. Maps of density
matrices are held so too, by `_maps`, as matrices of twice as many wires.

The functions that run circuits may import `_method` and `_superop`.
"""
