"""A chain as it is saved: in the order of its qubits, with the singular values between neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from basicaer.simulator._control import RunControl
from basicaer.simulator.methods.interface import Floats, SavedChain
from basicaer.simulator.methods.matrix_product_state._chain import Chain, Tensor


def saved_chain(
    state: Chain, num_qubits: int, qubits: Sequence[int], ones: Sequence[int], control: RunControl
) -> SavedChain:
    """Return the chain of `num_qubits` qubits, of which `qubits`, which ascend, are those of a state; the
    others are in 0, but for `ones`. The state isn't changed.
    """
    own = state.copy(control)
    own.sort(control)
    weights = own.canonical(control)
    held = dict(zip(qubits, own.tensors, strict=True))
    tensors: list[Tensor] = []
    values: list[Floats] = []
    bond, between = 1, np.ones(1)
    for qubit in range(num_qubits):
        tensor = held.get(qubit)
        if tensor is None:
            tensor = np.zeros((bond, 2, bond), dtype=np.complex128)
            tensor[:, int(qubit in ones)] = np.eye(bond)
        elif weights:
            between = weights.pop(0)
        else:
            between = np.ones(1)
        tensors.append(tensor)
        values.append(between)
        bond = tensor.shape[2]
    return SavedChain(
        np.concatenate([tensor.reshape(-1) for tensor in tensors] or [np.ones(1, dtype=np.complex128)]),
        np.array([1, *(tensor.shape[2] for tensor in tensors)], dtype=np.uint64),
        np.concatenate(values[:-1] or [np.zeros(0)]),
    )
