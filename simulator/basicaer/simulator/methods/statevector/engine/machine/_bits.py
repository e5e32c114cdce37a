"""Bits of integers."""

from basicaer.simulator.methods.statevector.engine.machine._jit import compiled


@compiled
def popcount(x: int) -> int:
    """How many bits are set."""
    count = 0
    while x:
        x &= x - 1
        count += 1
    return count
