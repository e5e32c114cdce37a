"""The fast state-vector engine: gates of a circuit are fused, planned in stages, and run on blocks in the
cache. Only the modules beside this folder import it.

`docs/engine.md` is the tour. What passes in which array, in the order in which a circuit passes through;
a name in brackets is the module of `columns` that names its columns:

    circuit's columns   operations uint32, qubits uint32, parameters float64
        | _matrices.operation_table, with_matrices
    table [gates]       a row for each distinct operation     pool  complex128: matrices, flat
        | planning/_compile.lower_columns: _lowering.lower, for the instructions of span [spans]
        |     wire[q] = the wire of qubit q    known[w] = 0, 1, or -1 where wire w is live
        | planning/_fusion, by the matrices of _products
    ops [fused]         a row for each operation on wires     mats  complex128: matrices, flat
        |     operands: the wires of operations on many    last[w] = the last operation on wire w
        | planning/_planner.plan: _stages chooses active wires, _rows writes their program
        |     phys[w] = the memory's bit of wire w    pos[w] = its position in the block, or -1
        |     stage and numbers [making]
    a plan:  stages [passes]   rows [steps]   coefs: reals   terms [factors]
        | blocks/_run.run_plan, on any number of threads, which share counters [claims]
        | blocks/_executor.execute: load a block, run its rows by _kernels and _diagonal, store it
    state               2^n complex numbers, seen as reals    block  re, im: 2^size reals each

Matrices have a class [classes]. Beside that way:

    direct/      small circuits, gate by gate: table, pool and columns to amplitudes; n and c [small]
    _readout, _expectation    what is read from a state
    machine/     what numba lacks: vectors, counters, cheap calls
"""
