"""Wide circuits of little entanglement: the state as a chain of tensors, one for each qubit.

`_chain` has the chain and what changes it; `_plan` the gates of a segment and the order in which they are
applied; `_reading` amplitudes, samples and expectation values. `_options` says how far a chain may be cut,
and what was. `_method` makes a method of them, which the functions that run circuits call.
"""
