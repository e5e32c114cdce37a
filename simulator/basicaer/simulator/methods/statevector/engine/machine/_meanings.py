"""What the machine's instructions do, for Python: each function computes what its namesake in `_simd`,
`_atomics` or `_borrowed` does in compiled code, to the last bit.

A vector is an array of 64 bytes. What Python and numpy have no word for, a product and a sum that are rounded
once and the processor's mode for small numbers, is a few instructions that LLVM makes in a hundredth of a
second.
"""

from __future__ import annotations

import ctypes
import functools
import platform
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir

Vector: TypeAlias = npt.NDArray[np.floating[Any]]

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
_BYTES = 64
_FLUSH = 0x8040


class _Instructions:
    """The few that LLVM makes, for this processor; they take addresses."""

    def __init__(self) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        module = ir.Module()
        module.triple = binding.get_default_triple()
        for name, kind, lanes in (("f64", ir.DoubleType(), 8), ("f32", ir.FloatType(), 16)):
            _write_fma(module, name, ir.VectorType(kind, lanes))
        if IS_X86:
            for name in ("stmxcsr", "ldmxcsr"):
                _write_mode(module, name)
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten()
        )
        # Owns the code.
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
        self._engine.finalize_object()
        self.fma = {8: self._function("f64", 4), 4: self._function("f32", 4)}
        if IS_X86:
            self.read_mode, self.write_mode = self._function("stmxcsr", 1), self._function("ldmxcsr", 1)

    def _function(self, name: str, count: int) -> Callable[..., None]:
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * count)
        return kind(self._engine.get_function_address(name))


def _new_function(module: Any, name: str, count: int) -> tuple[Any, Any]:
    words = [ir.IntType(64)] * count
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), words), name)
    return function, ir.IRBuilder(function.append_basic_block())


def _write_fma(module: Any, name: str, vector: Any) -> None:
    function, builder = _new_function(module, name, 4)
    pointers = [builder.inttoptr(word, vector.as_pointer()) for word in function.args]
    align = 8 if name == "f64" else 4
    values = [builder.load(pointer, align=align) for pointer in pointers[1:]]
    own = ir.Function(module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{vector.count}{name}")
    builder.store(builder.call(own, values), pointers[0], align=align)
    builder.ret_void()


def _write_mode(module: Any, name: str) -> None:
    function, builder = _new_function(module, name, 1)
    byte = ir.IntType(8).as_pointer()
    own = ir.Function(module, ir.FunctionType(ir.VoidType(), [byte]), f"llvm.x86.sse.{name}")
    builder.call(own, [builder.inttoptr(function.args[0], byte)])
    builder.ret_void()


@functools.cache
def _instructions() -> _Instructions:
    return _Instructions()


def load(array: Vector, index: int) -> Vector:
    """See `_simd.load`."""
    return np.array(array[index : index + _BYTES // array.itemsize], copy=True, subok=False)


def store(array: Vector, index: int, value: Vector) -> None:
    """See `_simd.store`."""
    array[index : index + _BYTES // array.itemsize] = value


def splat(scalar: Any) -> Vector:
    """See `_simd.splat`."""
    return np.full(16, scalar) if isinstance(scalar, np.float32) else np.full(8, scalar, np.float64)


def fma(a: Vector, b: Vector, c: Vector) -> Vector:
    """See `_simd.fma`."""
    made = np.empty_like(a)
    _instructions().fma[a.itemsize](made.ctypes.data, a.ctypes.data, b.ctypes.data, c.ctypes.data)
    return made


def fnma(a: Vector, b: Vector, c: Vector) -> Vector:
    """See `_simd.fnma`."""
    return fma(-a, b, c)


def mul(a: Vector, b: Vector) -> Vector:
    """See `_simd.mul`."""
    return a * b


def shuffle(mask: Callable[[int, int], int]) -> Callable[[Vector, Vector], Vector]:
    """See `_simd.shuffle`."""

    def shuffled(a: Vector, b: Vector) -> Vector:
        return np.concatenate([a, b])[[mask(lane, len(a)) for lane in range(len(a))]]

    return shuffled


def tile(pattern: Sequence[str]) -> Callable[..., None]:
    """See `_simd.tile`."""
    size = len(pattern)

    def add(total: Vector | None, factor: Vector, x: Vector) -> Vector:
        return factor * x if total is None else fma(factor, x, total)

    def tiled(re: Any, im: Any, index: int, offsets: Sequence[int], coefs: Any, first: int) -> None:
        at = [index + offset for offset in offsets[:size]]
        parts = [(load(re, i), load(im, i)) for i in at]
        for row in range(size):
            tr = ti = None
            for column in range(size):
                kind, c = pattern[row][column], first + 2 * (row * size + column)
                xr, xi = parts[column]
                if kind in "rc":
                    factor = splat(coefs[c])
                    tr, ti = add(tr, factor, xr), add(ti, factor, xi)
                if kind in "ic":
                    factor = splat(coefs[c + 1])
                    tr, ti = add(tr, -factor, xi), add(ti, factor, xr)
            store(re, at[row], np.zeros_like(xr) if tr is None else tr)
            store(im, at[row], np.zeros_like(xr) if ti is None else ti)

    return tiled


def transpose(array: Any, index: int, offsets: Sequence[int]) -> None:
    """See `_simd.transpose`."""
    width = _BYTES // array.itemsize
    if len(offsets) == width:
        rows = [load(array, index + offset) for offset in offsets]
        for offset, column in zip(offsets, np.stack(rows, axis=1), strict=True):
            store(array, index + offset, column)


def flush_denormals() -> int:
    """See `_simd.flush_denormals`."""
    if not IS_X86:
        return 0
    word = ctypes.c_uint32()
    _instructions().read_mode(ctypes.addressof(word))
    restore_denormals(word.value | _FLUSH)
    return word.value


def restore_denormals(mode: int) -> None:
    """See `_simd.restore_denormals`."""
    if IS_X86:
        _instructions().write_mode(ctypes.addressof(ctypes.c_uint32(mode)))


def fetch_add(array: Any, index: int, amount: int) -> int:
    """See `_atomics.fetch_add`; here no other thread has the array."""
    flat = array.reshape(-1)
    before: int = flat[index]
    flat[index] = before + amount
    return before


def load_acquire(array: Any, index: int) -> int:
    """See `_atomics.load_acquire`."""
    found: int = array.reshape(-1)[index]
    return found


def relax(waited: int) -> None:
    """See `_atomics.relax`."""


def itself(array: Any) -> Any:
    """Return what it is given."""
    return array


def nothing(array: Any) -> None:
    """Do nothing."""
