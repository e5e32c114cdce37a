"""A circuit's gates as methods, with Qiskit's names and order of arguments.

Angles are in radians. Where a method takes `Qubits`, a number is one qubit, and a sequence or a register
applies the gate to each; several sequences go in step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from basicaer.client._values import Expression

__all__ = ["GateMethods", "Parameter", "Qubits"]

Qubits = int | Sequence[int]
Parameter = float | Expression


class GateMethods(ABC):
    """One method for each standard gate. Each changes the circuit and returns it."""

    @abstractmethod
    def _each(self, name: str, parameters: Sequence[Parameter], *operands: Qubits) -> Self:
        """Appends a gate for each step of the operands."""

    @abstractmethod
    def append(self, name: str, qubits: Sequence[int], parameters: Sequence[Parameter] = ()) -> Self:
        """Appends one instruction."""

    def id(self, qubit: Qubits) -> Self:
        """The identity."""
        return self._each("id", (), qubit)

    def x(self, qubit: Qubits) -> Self:
        """Pauli X."""
        return self._each("x", (), qubit)

    def y(self, qubit: Qubits) -> Self:
        """Pauli Y."""
        return self._each("y", (), qubit)

    def z(self, qubit: Qubits) -> Self:
        """Pauli Z."""
        return self._each("z", (), qubit)

    def h(self, qubit: Qubits) -> Self:
        """Hadamard."""
        return self._each("h", (), qubit)

    def s(self, qubit: Qubits) -> Self:
        """The root of Z."""
        return self._each("s", (), qubit)

    def sdg(self, qubit: Qubits) -> Self:
        """The inverse of s."""
        return self._each("sdg", (), qubit)

    def t(self, qubit: Qubits) -> Self:
        """The fourth root of Z."""
        return self._each("t", (), qubit)

    def tdg(self, qubit: Qubits) -> Self:
        """The inverse of t."""
        return self._each("tdg", (), qubit)

    def sx(self, qubit: Qubits) -> Self:
        """The root of X."""
        return self._each("sx", (), qubit)

    def sxdg(self, qubit: Qubits) -> Self:
        """The inverse of sx."""
        return self._each("sxdg", (), qubit)

    def p(self, theta: Parameter, qubit: Qubits) -> Self:
        """p(λ) = diag(1, e^iλ)."""
        return self._each("p", (theta,), qubit)

    def rx(self, theta: Parameter, qubit: Qubits) -> Self:
        """e^(-iθX/2)."""
        return self._each("rx", (theta,), qubit)

    def ry(self, theta: Parameter, qubit: Qubits) -> Self:
        """e^(-iθY/2)."""
        return self._each("ry", (theta,), qubit)

    def rz(self, phi: Parameter, qubit: Qubits) -> Self:
        """e^(-iφZ/2)."""
        return self._each("rz", (phi,), qubit)

    def r(self, theta: Parameter, phi: Parameter, qubit: Qubits) -> Self:
        """By θ about the axis cos φ X + sin φ Y."""
        return self._each("r", (theta, phi), qubit)

    def u(self, theta: Parameter, phi: Parameter, lam: Parameter, qubit: Qubits) -> Self:
        """Any gate of one qubit but for a phase."""
        return self._each("u", (theta, phi, lam), qubit)

    def cx(self, control: Qubits, target: Qubits) -> Self:
        """x with a control."""
        return self._each("cx", (), control, target)

    def cy(self, control: Qubits, target: Qubits) -> Self:
        """y with a control."""
        return self._each("cy", (), control, target)

    def cz(self, control: Qubits, target: Qubits) -> Self:
        """z with a control."""
        return self._each("cz", (), control, target)

    def ch(self, control: Qubits, target: Qubits) -> Self:
        """h with a control."""
        return self._each("ch", (), control, target)

    def cs(self, control: Qubits, target: Qubits) -> Self:
        """s with a control."""
        return self._each("cs", (), control, target)

    def csdg(self, control: Qubits, target: Qubits) -> Self:
        """sdg with a control."""
        return self._each("csdg", (), control, target)

    def csx(self, control: Qubits, target: Qubits) -> Self:
        """sx with a control."""
        return self._each("csx", (), control, target)

    def cp(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """p with a control."""
        return self._each("cp", (theta,), control, target)

    def crx(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """rx with a control."""
        return self._each("crx", (theta,), control, target)

    def cry(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """ry with a control."""
        return self._each("cry", (theta,), control, target)

    def crz(self, theta: Parameter, control: Qubits, target: Qubits) -> Self:
        """rz with a control."""
        return self._each("crz", (theta,), control, target)

    def cu(
        self,
        theta: Parameter,
        phi: Parameter,
        lam: Parameter,
        gamma: Parameter,
        control: Qubits,
        target: Qubits,
    ) -> Self:
        """A phase of gamma and u(θ, φ, λ) with a control."""
        return self._each("cu", (theta, phi, lam, gamma), control, target)

    def swap(self, first: Qubits, second: Qubits) -> Self:
        """Exchanges two qubits."""
        return self._each("swap", (), first, second)

    def iswap(self, first: Qubits, second: Qubits) -> Self:
        """Exchanges two qubits, with a phase of i."""
        return self._each("iswap", (), first, second)

    def dcx(self, first: Qubits, second: Qubits) -> Self:
        """cx one way, then the other."""
        return self._each("dcx", (), first, second)

    def ecr(self, first: Qubits, second: Qubits) -> Self:
        """The echoed cross-resonance gate."""
        return self._each("ecr", (), first, second)

    def rxx(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """e^(-iθXX/2)."""
        return self._each("rxx", (theta,), first, second)

    def ryy(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """e^(-iθYY/2)."""
        return self._each("ryy", (theta,), first, second)

    def rzz(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """e^(-iθZZ/2)."""
        return self._each("rzz", (theta,), first, second)

    def rzx(self, theta: Parameter, first: Qubits, second: Qubits) -> Self:
        """e^(-iθZX/2), Z on the first."""
        return self._each("rzx", (theta,), first, second)

    def ccx(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """x with two controls (Toffoli)."""
        return self._each("ccx", (), control, other, target)

    def ccz(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """z with two controls."""
        return self._each("ccz", (), control, other, target)

    def cswap(self, control: Qubits, first: Qubits, second: Qubits) -> Self:
        """swap with a control (Fredkin)."""
        return self._each("cswap", (), control, first, second)

    def rccx(self, control: Qubits, other: Qubits, target: Qubits) -> Self:
        """The simplified Toffoli gate, equal to ccx but for phases."""
        return self._each("rccx", (), control, other, target)

    def mcx(self, controls: Sequence[int], target: int) -> Self:
        """x with any number of controls."""
        return self.append("mcx", [*controls, target])

    def mcp(self, theta: Parameter, controls: Sequence[int], target: int) -> Self:
        """p with any number of controls."""
        return self.append("mcp", [*controls, target], (theta,))
