"""A circuit's gates as methods, with Qiskit's names and order of arguments.

Angles are in radians. Where a method takes `Qubits`, a number is one qubit, and a sequence or a register
applies the gate to each; several sequences go in step.

Made from the simulator's table of gates by `make gates`: change that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from basicaer.client.circuit._values import Expression

__all__ = ["GateMethods", "Parameter", "Qubits"]

Qubits = int | Sequence[int]
Parameter = float | Expression


class GateMethods(ABC):
    """One method for each standard gate. Each changes the circuit and returns it."""

    @abstractmethod
    def _each(self, name: str, parameters: Sequence[Parameter], *operands: Qubits) -> Self:
        """Append a gate for each step of the operands."""

    @abstractmethod
    def append(self, name: str, qubits: Sequence[int], parameters: Sequence[Parameter] = ()) -> Self:
        """Append one instruction."""

    def id(self, qubit: Qubits) -> Self:
        """Append id: the identity."""
        return self._each("id", (), qubit)

    def x(self, qubit: Qubits) -> Self:
        """Append x: Pauli X, the bit flip."""
        return self._each("x", (), qubit)

    def y(self, qubit: Qubits) -> Self:
        """Append y: Pauli Y."""
        return self._each("y", (), qubit)

    def z(self, qubit: Qubits) -> Self:
        """Append z: Pauli Z, the phase flip."""
        return self._each("z", (), qubit)

    def h(self, qubit: Qubits) -> Self:
        """Append h: Hadamard."""
        return self._each("h", (), qubit)

    def s(self, qubit: Qubits) -> Self:
        """Append s: the root of Z."""
        return self._each("s", (), qubit)

    def sdg(self, qubit: Qubits) -> Self:
        """Append sdg: the inverse of s."""
        return self._each("sdg", (), qubit)

    def sx(self, qubit: Qubits) -> Self:
        """Append sx: the root of X."""
        return self._each("sx", (), qubit)

    def sxdg(self, qubit: Qubits) -> Self:
        """Append sxdg: the inverse of sx."""
        return self._each("sxdg", (), qubit)

    def t(self, qubit: Qubits) -> Self:
        """Append t: the fourth root of Z."""
        return self._each("t", (), qubit)

    def tdg(self, qubit: Qubits) -> Self:
        """Append tdg: the inverse of t."""
        return self._each("tdg", (), qubit)

    def p(self, theta: Parameter, qubit: Qubits) -> Self:
        """Append p(λ) = diag(1, e^iλ)."""
        return self._each("p", (theta,), qubit)

    def u(self, theta: Parameter, phi: Parameter, lam: Parameter, qubit: Qubits) -> Self:
        """Append u(θ, φ, λ), any gate of one qubit but for a phase."""
        return self._each("u", (theta, phi, lam), qubit)

    def r(self, theta: Parameter, phi: Parameter, qubit: Qubits) -> Self:
        """Append r(θ, φ): by θ about the axis cos φ X + sin φ Y."""
        return self._each("r", (theta, phi), qubit)

    def rx(self, theta: Parameter, qubit: Qubits) -> Self:
        """Append rx(θ) = e^(-iθX/2)."""
        return self._each("rx", (theta,), qubit)

    def ry(self, theta: Parameter, qubit: Qubits) -> Self:
        """Append ry(θ) = e^(-iθY/2)."""
        return self._each("ry", (theta,), qubit)

    def rz(self, phi: Parameter, qubit: Qubits) -> Self:
        """Append rz(θ) = e^(-iθZ/2)."""
        return self._each("rz", (phi,), qubit)

    def cx(self, control: Qubits, target: Qubits) -> Self:
        """Append cx: x with a control."""
        return self._each("cx", (), control, target)

    def cy(self, control: Qubits, target: Qubits) -> Self:
        """Append cy: y with a control."""
        return self._each("cy", (), control, target)

    def cz(self, control: Qubits, target: Qubits) -> Self:
        """Append cz: z with a control."""
        return self._each("cz", (), control, target)

    def ch(self, control: Qubits, target: Qubits) -> Self:
        """Append ch: h with a control."""
        return self._each("ch", (), control, target)

    def cs(self, control: Qubits, target: Qubits) -> Self:
        """Append cs: s with a control."""
        return self._each("cs", (), control, target)

    def csdg(self, control: Qubits, target: Qubits) -> Self:
        """Append csdg: sdg with a control."""
        return self._each("csdg", (), control, target)

    def csx(self, control: Qubits, target: Qubits) -> Self:
        """Append csx: sx with a control."""
        return self._each("csx", (), control, target)

    def cp(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """Append cp: p with a control."""
        return self._each("cp", (theta,), control, target)

    def cu(
        self,
        theta: Parameter,
        phi: Parameter,
        lam: Parameter,
        gamma: Parameter,
        control: Qubits,
        target: Qubits,
    ) -> Self:
        """Append cu(θ, φ, λ, δ): e^iδ u(θ, φ, λ) with a control."""
        return self._each("cu", (theta, phi, lam, gamma), control, target)

    def crx(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """Append crx: rx with a control."""
        return self._each("crx", (theta,), control, target)

    def cry(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """Append cry: ry with a control."""
        return self._each("cry", (theta,), control, target)

    def crz(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """Append crz: rz with a control."""
        return self._each("crz", (theta,), control, target)

    def ccx(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """Append ccx: x with two controls (Toffoli)."""
        return self._each("ccx", (), control, other, target)

    def ccz(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """Append ccz: z with two controls."""
        return self._each("ccz", (), control, other, target)

    def cswap(self, control: Qubits, first: Qubits, second: Qubits) -> Self:
        """Append cswap: swap with a control (Fredkin)."""
        return self._each("cswap", (), control, first, second)

    def mcx(self, controls: Sequence[int], target: int) -> Self:
        """Append mcx: x with any number of controls."""
        return self.append("mcx", [*controls, target])

    def mcp(self, theta: Parameter, controls: Sequence[int], target: int) -> Self:
        """Append mcp: p with any number of controls."""
        return self.append("mcp", [*controls, target], (theta,))

    def swap(self, first: Qubits, second: Qubits) -> Self:
        """Append swap: the exchange of two qubits."""
        return self._each("swap", (), first, second)

    def iswap(self, first: Qubits, second: Qubits) -> Self:
        """Append iswap: swap with a factor i where the qubits differ."""
        return self._each("iswap", (), first, second)

    def dcx(self, first: Qubits, second: Qubits) -> Self:
        """Append dcx: two cx, each qubit being the control once."""
        return self._each("dcx", (), first, second)

    def ecr(self, first: Qubits, second: Qubits) -> Self:
        """Append ecr: the echoed cross-resonance gate."""
        return self._each("ecr", (), first, second)

    def rxx(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """Append rxx(θ) = e^(-iθ X⊗X/2)."""
        return self._each("rxx", (theta,), first, second)

    def ryy(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """Append ryy(θ) = e^(-iθ Y⊗Y/2)."""
        return self._each("ryy", (theta,), first, second)

    def rzz(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """Append rzz(θ) = e^(-iθ Z⊗Z/2)."""
        return self._each("rzz", (theta,), first, second)

    def rzx(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """Append rzx(θ) = e^(-iθ X⊗Z/2), with Z on the first qubit."""
        return self._each("rzx", (theta,), first, second)

    def rccx(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """Append rccx: a cheap Toffoli gate that is right but for relative phases (Margolus)."""
        return self._each("rccx", (), control, other, target)
