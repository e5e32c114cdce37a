"""A state as a chain of tensors in mixed canonical form: what lies left of the centre are isometries from the
left, and what lies right of it isometries from the right, so that the centre alone has the state's norm.

Qubits needn't lie in their order: those of a gate are brought together by exchanges of neighbours, and stay
there. Tensors have the shape (left bond, 2, right bond) and are never written to, so that copies share them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import SimulationFailed
from basicaer.simulator.methods.interface import Floats, QuantumState
from basicaer.simulator.methods.matrix_product_state._meter import Meter
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions

Tensor: TypeAlias = npt.NDArray[np.complex128]

_UNBOUNDED = 1 << 62
_EXCHANGE: Tensor = np.eye(4, dtype=np.complex128)[[0, 2, 1, 3]]
_MOST_WEIGHTS = 1 << 26
"""So many numbers at most are held to find the probabilities of several qubits."""
_BYTES_PER_SPLIT = 128
"""What a number of a matrix takes while its singular values are found: copies of it, its factors, room."""
_SPLITS = 32
"""After so many of them the tensors are weighed."""


class Chain(QuantumState):
    """The state of `num_qubits` qubits.

    `tensors[i]` is site i's, and `wires[i]` its qubit; `sites` has the qubits' sites. `centre` is the site of
    the norm.
    """

    __slots__ = (
        "_discarded",
        "_held",
        "_kept",
        "_most",
        "_most_bytes",
        "_splits",
        "_threshold",
        "centre",
        "cuts",
        "meter",
        "num_qubits",
        "sites",
        "tensors",
        "wires",
    )

    def __init__(
        self,
        num_qubits: int,
        options: MatrixProductStateOptions,
        cuts: Cuts,
        most_bytes: int | None = None,
        meter: Meter | None = None,
    ) -> None:
        """All qubits in 0. What the state takes may come to `most_bytes`, and its run to what `meter` allows;
        then `SimulationFailed` is raised.
        """
        zero = np.zeros((1, 2, 1), dtype=np.complex128)
        zero[0, 0, 0] = 1.0
        self.num_qubits = num_qubits
        self.tensors: list[Tensor] = [zero] * num_qubits
        self.sites = list(range(num_qubits))
        self.wires = list(range(num_qubits))
        self.centre = 0
        self.cuts = cuts
        self.meter = meter or Meter()
        self._most = options.max_bond_dimension or _UNBOUNDED
        self._threshold = options.truncation_threshold
        self._discarded = 0.0
        self._kept = 1.0
        self._most_bytes = _UNBOUNDED if most_bytes is None else most_bytes
        self._held = self._splits = 0

    def copy(self, control: RunControl) -> Chain:
        control.check()
        found: Chain = Chain.__new__(Chain)
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(found, name, list(value) if isinstance(value, list) else value)
        return found

    def weights(self, qubits: Sequence[int], control: RunControl) -> Floats:
        sites = sorted((self.sites[qubit], place) for place, qubit in enumerate(qubits))
        if not sites:
            return np.array([self._norm()])
        self.move(min(max(self.centre, sites[0][0]), sites[-1][0]))
        first, last = min(sites[0][0], self.centre), max(sites[-1][0], self.centre)
        place_of = dict(sites)
        left = self.tensors[first].shape[0]
        # One matrix for each value of the qubits so far: of the bond, on both sides.
        found: Tensor = np.eye(left, dtype=np.complex128)[None]
        places: list[int] = []
        for site in range(first, last + 1):
            control.check()
            tensor = self.tensors[site]
            right = tensor.shape[2]
            if (len(found) * right * right << (site in place_of)) > _MOST_WEIGHTS:
                raise SimulationFailed(
                    f"the probabilities of {len(qubits)} qubits with bonds of {right} need too much memory;"
                    " ask for fewer qubits at a time"
                )
            half = np.matmul(found, tensor.reshape(left, 2 * right)).reshape(len(found), left, 2, right)
            own = tensor.conj()
            if site in place_of:
                parts = [np.matmul(own[:, bit].T, half[:, :, bit]) for bit in (0, 1)]
                found = np.concatenate(parts)
                places.append(place_of[site])
            else:
                found = np.matmul(own.reshape(2 * left, right).T, half.reshape(len(found), 2 * left, right))
            left = right
        values = np.trace(found, axis1=1, axis2=2).real
        index = np.arange(len(values))
        order = sum((index >> k & 1) << place for k, place in enumerate(places))
        weights = np.empty(len(values))
        weights[order] = np.maximum(values, 0.0)
        return weights

    def collapse(self, values: Mapping[int, int], weight: float, control: RunControl) -> None:
        scale = weight**-0.5
        for qubit, value in sorted(values.items(), key=lambda item: self.sites[item[0]]):
            control.check()
            site = self.sites[qubit]
            self.move(site)
            tensor = np.zeros_like(self.tensors[site])
            tensor[:, value] = self.tensors[site][:, value] * scale
            self.tensors[site] = tensor
            scale = 1.0
        # What is known of these qubits needs no bonds.
        touched = sorted(self.sites[qubit] for qubit in values)
        if touched:
            self._narrow(touched[-1], touched[0])
        elif self.tensors:
            self.tensors[self.centre] = self.tensors[self.centre] * scale

    def flip(self, qubit: int, control: RunControl) -> None:
        control.check()
        site = self.sites[qubit]
        self.tensors[site] = np.ascontiguousarray(self.tensors[site][:, ::-1])

    def prepare(
        self, qubits: Sequence[int], amplitudes: npt.NDArray[np.complex128], control: RunControl
    ) -> None:
        first = self.gather(qubits, control)
        count = len(qubits)
        self.move(first)
        product = self.tensors[first][:, 0]
        for site in range(first + 1, first + count):
            product = product @ self.tensors[site][:, 0]
        shaped = self._in_sites(amplitudes.reshape((2,) * count), qubits, first)
        self.put(first, np.multiply.outer(product, shaped.reshape(-1)).transpose(0, 2, 1), control)

    def adopt(self, tensors: Sequence[Tensor], wires: Sequence[int], control: RunControl) -> None:
        """Become another chain of as many sites, in any form, whose qubits are `wires`."""
        self.tensors, self.wires = list(tensors), list(wires)
        self.sites = np.argsort(self.wires).tolist()
        self.centre, last = 0, self.num_qubits - 1
        control.check()
        self.move(last)
        self._narrow(last, 0)

    def sort(self, control: RunControl) -> None:
        """Bring all qubits to the sites of their own numbers."""
        for qubit in range(self.num_qubits):
            for left in range(self.sites[qubit] - 1, qubit - 1, -1):
                self._two_sites(left, _EXCHANGE, False)
                self._exchange(left)
                control.check()

    def canonical(self, control: RunControl) -> list[Floats]:
        """Make the first site the centre, and return the singular values of each bond."""
        found: list[Floats] = []
        self.move(max(0, self.num_qubits - 1))
        for site in range(self.num_qubits - 1, 0, -1):
            control.check()
            own, before = self.tensors[site], self.tensors[site - 1]
            bond, _, right = own.shape
            left, weights, rest = self._split(own.reshape(bond, 2 * right))
            self.tensors[site] = rest.reshape(-1, 2, right)
            moved = before.reshape(-1, bond) @ (left * weights)
            self.tensors[site - 1] = moved.reshape(before.shape[0], 2, -1)
            self.centre = site - 1
            found.append(weights)
        return found[::-1]

    def single(self, qubit: int, matrix: Tensor) -> None:
        """Apply a matrix of one qubit."""
        site = self.sites[qubit]
        # A unitary one leaves an isometry what it is.
        if site != self.centre and not _is_unitary(matrix):
            self.move(site)
        self.tensors[site] = np.matmul(matrix, self.tensors[site])

    def pair(self, first: int, second: int, matrix: Tensor, rightwards: bool, control: RunControl) -> None:
        """Apply a matrix of two qubits, the first of which is the index's least significant bit.

        The centre comes to lie to the right of their bond if `rightwards` is set, and to its left otherwise.
        """
        while abs(self.sites[first] - self.sites[second]) > 1:
            left = min(self.sites[first], self.sites[second])
            self._two_sites(left, _EXCHANGE, True)
            self._exchange(left)
            control.check()
        left = self.sites[first]
        if left > self.sites[second]:
            left -= 1
        else:
            # A pair's tensor has the left site as the more significant bit.
            matrix = matrix[[0, 2, 1, 3]][:, [0, 2, 1, 3]]
        self._two_sites(left, matrix, rightwards)

    def exchange(self, first: int, second: int) -> None:
        """Let two qubits change places, which takes nothing but their names."""
        sites, wires = self.sites, self.wires
        sites[first], sites[second] = sites[second], sites[first]
        wires[sites[first]], wires[sites[second]] = first, second

    def gate(self, qubits: Sequence[int], matrix: Tensor, control: RunControl) -> None:
        """Apply a matrix of three or more qubits."""
        first, count = self.gather(qubits, control), len(qubits)
        self.move(first)
        theta = self.tensors[first]
        left = theta.shape[0]
        for site in range(first + 1, first + count):
            following = self.tensors[site]
            theta = theta.reshape(-1, theta.shape[-1]) @ following.reshape(len(following), -1)
            theta = theta.reshape(left, -1, following.shape[2])
        shaped = self._in_sites(matrix.reshape((2,) * (2 * count)), qubits, first)
        self.put(first, np.matmul(shaped.reshape(1 << count, 1 << count), theta), control)

    def gather(self, qubits: Sequence[int], control: RunControl) -> int:
        """Bring qubits to neighbouring sites, in the order of those that they have; return the first."""
        ordered = sorted(qubits, key=lambda qubit: self.sites[qubit])
        middle = len(ordered) // 2
        for place in range(middle + 1, len(ordered)):
            target = self.sites[ordered[middle]] + place - middle
            while self.sites[ordered[place]] > target:
                left = self.sites[ordered[place]] - 1
                self._two_sites(left, _EXCHANGE, False)
                self._exchange(left)
                control.check()
        for place in range(middle - 1, -1, -1):
            target = self.sites[ordered[middle]] - middle + place
            while self.sites[ordered[place]] < target:
                left = self.sites[ordered[place]]
                self._two_sites(left, _EXCHANGE, True)
                self._exchange(left)
                control.check()
        return self.sites[ordered[0]] if ordered else 0

    def move(self, site: int) -> None:
        """Make `site` the centre."""
        tensors = self.tensors
        while self.centre < site:
            own, following = tensors[self.centre], tensors[self.centre + 1]
            left, _, bond = own.shape
            isometry, rest = np.linalg.qr(own.reshape(2 * left, bond))
            tensors[self.centre] = isometry.reshape(left, 2, -1)
            tensors[self.centre + 1] = (rest @ following.reshape(bond, -1)).reshape(-1, 2, following.shape[2])
            self.centre += 1
        while self.centre > site:
            own, before = tensors[self.centre], tensors[self.centre - 1]
            bond, _, right = own.shape
            isometry, rest = np.linalg.qr(own.reshape(bond, 2 * right).conj().T)
            tensors[self.centre] = isometry.conj().T.reshape(-1, 2, right)
            moved = before.reshape(-1, bond) @ rest.conj().T
            tensors[self.centre - 1] = moved.reshape(before.shape[0], 2, -1)
            self.centre -= 1

    def put(self, first: int, theta: Tensor, control: RunControl) -> None:
        """Put a tensor of several sites, of shape (left bond, 2^sites, right bond), for theirs."""
        site, left = first, theta.shape[0]
        size, right = theta.shape[1], theta.shape[2]
        while size > 2:
            control.check()
            isometry, weights, rest = self._split(theta.reshape(2 * left, size // 2 * right))
            self.tensors[site] = isometry.reshape(left, 2, -1)
            theta = weights[:, None] * rest
            left, size, site = len(weights), size // 2, site + 1
        self.tensors[site] = theta.reshape(left, 2, right)
        self.centre = site

    def _two_sites(self, left: int, matrix: Tensor, rightwards: bool) -> None:
        """Apply a matrix of site `left`, whose bit is the more significant, and the next one."""
        self.move(min(max(self.centre, left), left + 1))
        one, two = self.tensors[left], self.tensors[left + 1]
        bond_left, bond_right = one.shape[0], two.shape[2]
        theta = one.reshape(2 * bond_left, -1) @ two.reshape(two.shape[0], -1)
        theta = np.matmul(matrix, theta.reshape(bond_left, 4, bond_right))
        isometry, weights, rest = self._split(theta.reshape(2 * bond_left, 2 * bond_right))
        if rightwards:
            rest = weights[:, None] * rest
        else:
            isometry = isometry * weights
        self.tensors[left] = isometry.reshape(bond_left, 2, -1)
        self.tensors[left + 1] = rest.reshape(-1, 2, bond_right)
        self.centre = left + rightwards

    def _exchange(self, left: int) -> None:
        """Note that the qubits of two neighbouring sites have changed places."""
        one, two = self.wires[left], self.wires[left + 1]
        self.wires[left], self.wires[left + 1] = two, one
        self.sites[one], self.sites[two] = left + 1, left

    def _split(self, matrix: Tensor) -> tuple[Tensor, Floats, Tensor]:
        """Return singular vectors and values as far as they are kept, with the norm that the matrix has."""
        self._weigh(matrix.size)
        self.meter.count(*matrix.shape)
        try:
            left, values, right = np.linalg.svd(matrix, full_matrices=False)
        except np.linalg.LinAlgError:
            # The other side's iteration takes another way.
            try:
                right, values, left = np.linalg.svd(matrix.conj().T, full_matrices=False)
            except np.linalg.LinAlgError as error:
                raise SimulationFailed("a bond's singular values were not found") from error
            left, right = left.conj().T, right.conj().T
        squares = values * values
        total = float(squares.sum())
        tails = np.cumsum(squares[::-1])[::-1]
        kept = int(np.count_nonzero(tails > self._threshold * total))
        kept = max(1, min(kept, self._most))
        cuts = self.cuts
        cuts.largest_bond = max(cuts.largest_bond, kept)
        if kept < len(values):
            lost = float(tails[kept]) / total if total > 0.0 else 0.0
            if lost > 0.0:
                self._discarded += lost
                cuts.discarded_weight = max(cuts.discarded_weight, self._discarded)
                self._kept *= 1.0 - lost
                cuts.kept_weight = min(cuts.kept_weight, self._kept)
                values = values[:kept] * (1.0 - lost) ** -0.5
            left, values, right = left[:, :kept], values[:kept], right[:kept]
        return left, values, right

    def _weigh(self, size: int) -> None:
        """Raise `SimulationFailed` where the state has become too large for a matrix of so many numbers to be
        split.
        """
        if self._splits % _SPLITS == 0:
            self._held = sum(tensor.nbytes for tensor in self.tensors)
        self._splits += 1
        needed = self._held + _BYTES_PER_SPLIT * size
        if needed > self._most_bytes:
            raise SimulationFailed(
                f"the matrix product state has come to bonds of {self.cuts.largest_bond:,} values, and to"
                f" {needed / 2**20:,.0f} MiB of the {self._most_bytes / 2**20:,.0f} MiB that it may take;"
                " bound its bonds by max_bond_dimension, or leave more out by truncation_threshold"
            )

    def _narrow(self, last: int, first: int) -> None:
        """Make bonds that have become too wide narrower, from around some sites until one can't be."""
        for site in range(last, 0, -1):
            self.move(site)
            tensor, before = self.tensors[site], self.tensors[site - 1]
            bond, _, right = tensor.shape
            isometry, weights, rest = self._split(tensor.reshape(bond, 2 * right))
            if len(weights) == bond and site <= first:
                break
            self.tensors[site] = rest.reshape(-1, 2, right)
            moved = before.reshape(-1, bond) @ (isometry * weights)
            self.tensors[site - 1] = moved.reshape(before.shape[0], 2, -1)
            self.centre = site - 1
        for site in range(first, self.num_qubits - 1):
            self.move(site)
            tensor, following = self.tensors[site], self.tensors[site + 1]
            left, _, bond = tensor.shape
            isometry, weights, rest = self._split(tensor.reshape(2 * left, bond))
            if len(weights) == bond and site >= last:
                break
            self.tensors[site] = isometry.reshape(left, 2, -1)
            moved = (weights[:, None] * rest) @ following.reshape(bond, -1)
            self.tensors[site + 1] = moved.reshape(-1, 2, following.shape[2])
            self.centre = site + 1

    def _in_sites(self, tensor: Tensor, qubits: Sequence[int], first: int) -> Tensor:
        """Return a tensor of qubits' bits, the most significant first, each group in the order of sites."""
        count = len(qubits)
        # Axis count - 1 - place belongs to qubits[place].
        order = [count - 1 - qubits.index(self.wires[first + k]) for k in range(count)]
        groups = tensor.ndim // max(1, count)
        return tensor.transpose([count * group + axis for group in range(groups) for axis in order])

    def _norm(self) -> float:
        return float(np.linalg.norm(self.tensors[self.centre]) ** 2) if self.tensors else 1.0


def _is_unitary(matrix: Tensor) -> bool:
    return bool(np.abs(matrix.conj().T @ matrix - np.eye(2)).max() < 1e-13)
