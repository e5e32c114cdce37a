"""Every method does what `methods/interface.py` asks for."""

from __future__ import annotations

from basicaer.simulator.methods.statevector._method import STATEVECTOR

from tests.unit.simulator.engine.method_contract import ANY_GATES, MethodContract


class TestStatevector(MethodContract):
    method = STATEVECTOR
    gates = (*ANY_GATES, "iswap", "rcccx", "xx_minus_yy")

    def test_it_takes_what_it_says(self) -> None:
        state = self.state(self.circuit(1))
        assert state.amplitudes.nbytes == self.method.required_bytes(5, state.dtype)
