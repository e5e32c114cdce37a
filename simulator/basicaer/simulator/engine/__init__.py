"""The fast state-vector engine: gates of a circuit are fused, planned in stages, and run on blocks in the
cache.

`docs/engine.md` is the tour. In the order in which a circuit passes through:

    _matrices    the matrices of gates, from packed columns
    _lowering    instructions become gates on wires; what is known of basis states is used
    _fusion      gates become fewer, larger operations
    _products    the small matrices that are multiplied there
    _stages      which operations fit a stage
    _program     the rows of numbers that a block's program is made of
    _planner     stages with their programs
    _executor    a plan is run over memory, by any number of threads
    _kernels, _diagonal   the work on one block
    _simd, _atomics       vectors and counters that numba lacks
    _direct, _places, _direct_kernels   small circuits, gate by gate, without all of that
    _borrowed    what makes short compiled functions cheap to call
"""
