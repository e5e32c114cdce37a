"""A state vector over several processes, which may be on several machines: 2^k ranks with a part each.

All ranks run the same program with the same random numbers, and exchange amplitudes where gates need it.
`run(..., spread=Mesh)` of the package is the way in; whoever starts the processes makes the mesh.

`_transport` says what ranks ask of each other, and `_mesh` does it by TCP. `_schedule` decides which gates
run between exchanges; `_plan`, `_state`, `_expectations` and `_method` are the parts of a method, as
`methods/interface.py` has them. `_run` runs circuits by it, and says which it can't.
"""

from basicaer.simulator.distributed._mesh import Mesh, TlsContexts, listen
from basicaer.simulator.distributed._run import (
    LEAST_LOCAL_QUBITS,
    rank_bytes,
    refusal,
    required_bytes,
    run_spread,
)
from basicaer.simulator.distributed._transport import PeerLost, Transport

__all__ = [
    "LEAST_LOCAL_QUBITS",
    "Mesh",
    "PeerLost",
    "TlsContexts",
    "Transport",
    "listen",
    "rank_bytes",
    "refusal",
    "required_bytes",
    "run_spread",
]
