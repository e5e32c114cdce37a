"""Explicit SIMD vectors for numba, so that the speed of a kernel does not hang on an auto-vectorizer's mood.

numba has no vector type. This module adds one (`VectorType`: eight float64 or sixteen float32, 64 bytes, as
LLVM's `<8 x double>`), and the few intrinsics that kernels need: load, store, splat, fma, add, mul, and
shuffles. LLVM lowers a 64-byte vector to one AVX-512 register, or to two AVX2 ones, or to four SSE2 ones, so
the same source runs on every processor. `tile` emits the unrolled body of a dense k-qubit gate.

Everything is addressed as (array, element index); nothing is bounds-checked.
"""

from collections.abc import Callable, Sequence
from typing import Any

from basicaer.simulator.methods.statevector.engine.machine import _meanings
from basicaer.simulator.methods.statevector.engine.machine._jit import intrinsic
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.extending import register_model

VECTOR_BYTES = 64

_IR_SCALAR = {types.float64: ir.DoubleType(), types.float32: ir.FloatType()}
_I32 = ir.IntType(32)


class VectorType(types.Type):
    """A numba type for `width` values of `dtype` in one vector."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.width = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype}, {self.width})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: VectorType) -> None:
        super().__init__(dmm, fe_type, _ir_vector(fe_type))


def _ir_vector(vector: VectorType) -> ir.VectorType:
    return ir.VectorType(_IR_SCALAR[vector.dtype], vector.width)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded once."""
    kind = {"double": "f64", "float": "f32"}[str(a.type.element)]
    name = f"llvm.fma.v{a.type.count}{kind}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 3), name)
    return builder.call(function, [a, b, c])


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, element: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


def _splat(builder: Any, scalar: Any, vector: ir.VectorType) -> Any:
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, _I32(0))
    zeros = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


@intrinsic(_meanings.load)
def load(typingctx: Any, array: Any, index: Any) -> Any:
    """Return the vector that begins at array[index]; the address need not be aligned."""
    vector = VectorType(array.dtype)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1], _ir_vector(vector))
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return vector(array, types.intp), codegen


@intrinsic(_meanings.store)
def store(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector at array[index]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1], _ir_vector(value))
        builder.store(args[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic(_meanings.splat)
def splat(typingctx: Any, scalar: Any) -> Any:
    """Return a vector with the scalar in every lane."""
    vector = VectorType(scalar)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0], _ir_vector(vector))

    return vector(scalar), codegen


@intrinsic(_meanings.fma)
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fma(builder, *args)

    return a(a, a, a), codegen


@intrinsic(_meanings.fnma)
def fnma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """c - a * b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fma(builder, builder.fneg(args[0]), args[1], args[2])

    return a(a, a, a), codegen


@intrinsic(_meanings.mul)
def mul(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a * b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return a(a, a), codegen


def shuffle(mask: Callable[[int, int], int]) -> Any:
    """Return an intrinsic f(a, b) whose lane i is (a ++ b)[mask(i, width)]."""

    @intrinsic(_meanings.shuffle(mask))
    def shuffled(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes = ir.Constant(ir.VectorType(_I32, a.width), [mask(i, a.width) for i in range(a.width)])
            return builder.shuffle_vector(args[0], args[1], lanes)

        return a(a, a), codegen

    return shuffled


def tile(pattern: Sequence[str]) -> Any:
    """Return an intrinsic f(re, im, index, offsets, coefs, first) that applies a matrix to 2**k vectors in
    place.

    `pattern` has a string for each row of the matrix and a character for each column: "0" for a zero, "c"
    for a complex entry, "r" for a real one, "i" for an imaginary one; zeros cost nothing. Vector j lies at
    index + offsets[j]. Coefficients lie at coefs[first + 2 * (row * size + column)], real part first.
    """
    size = len(pattern)

    @intrinsic(_meanings.tile(pattern))
    def tiled(typingctx: Any, re: Any, im: Any, index: Any, offsets: Any, coefs: Any, first: Any) -> Any:
        vector = _ir_vector(VectorType(re.dtype))
        align = re.dtype.bitwidth // 8

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            re_, im_, index_, offsets_, coefs_, first_ = args
            at = [builder.add(index_, builder.extract_value(offsets_, j)) for j in range(size)]
            pr = [_pointer(context, builder, re, re_, a, vector) for a in at]
            pi = [_pointer(context, builder, im, im_, a, vector) for a in at]
            xr = [builder.load(p, align=align) for p in pr]
            xi = [builder.load(p, align=align) for p in pi]

            def coef(row: int, column: int, part: int) -> Any:
                k = builder.add(first_, context.get_constant(types.intp, 2 * (row * size + column) + part))
                scalar = builder.load(_pointer(context, builder, coefs, coefs_, k, vector.element))
                return _splat(builder, scalar, vector)

            def accumulate(total: Any, factor: Any, x: Any) -> Any:
                return builder.fmul(factor, x) if total is None else _fma(builder, factor, x, total)

            zero = ir.Constant(vector, None)
            for row in range(size):
                tr = ti = None
                for column in range(size):
                    kind = pattern[row][column]
                    if kind in "rc":
                        c = coef(row, column, 0)
                        tr, ti = accumulate(tr, c, xr[column]), accumulate(ti, c, xi[column])
                    if kind in "ic":
                        c = coef(row, column, 1)
                        tr, ti = accumulate(tr, builder.fneg(c), xi[column]), accumulate(ti, c, xr[column])
                builder.store(zero if tr is None else tr, pr[row], align=align)
                builder.store(zero if ti is None else ti, pi[row], align=align)
            return context.get_dummy_value()

        return types.void(re, im, types.intp, offsets, coefs, types.intp), codegen

    return tiled


@intrinsic(_meanings.transpose)
def transpose(typingctx: Any, array: Any, index: Any, offsets: Any) -> Any:
    """Transpose the square of vectors at index + offsets[row], in place: bit j of the row changes places
    with bit j of the lane. With another number of rows than lanes there is no such square, and no code.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = _ir_vector(VectorType(array.dtype))
        width = vector.count
        if len(offsets) != width:  # the branch for the other precision, which numba compiles all the same
            return context.get_dummy_value()
        align = array.dtype.bitwidth // 8
        at = [builder.add(args[1], builder.extract_value(args[2], row)) for row in range(width)]
        pointers = [_pointer(context, builder, array, args[0], a, vector) for a in at]
        rows = [builder.load(p, align=align) for p in pointers]
        bit = 1
        while bit < width:
            lanes = ir.VectorType(_I32, width)
            low = ir.Constant(lanes, [i if not i & bit else width + (i ^ bit) for i in range(width)])
            high = ir.Constant(lanes, [i ^ bit if not i & bit else width + i for i in range(width)])
            for row in range(width):
                if not row & bit:
                    a, b = rows[row], rows[row | bit]
                    rows[row] = builder.shuffle_vector(a, b, low)
                    rows[row | bit] = builder.shuffle_vector(a, b, high)
            bit *= 2
        for row, pointer in zip(rows, pointers, strict=True):
            builder.store(row, pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, types.intp, offsets), codegen


@intrinsic(_meanings.flush_denormals)
def flush_denormals(typingctx: Any) -> Any:
    """Let this thread take numbers too small for full precision as zeros, which are far faster; returns the
    old mode.

    Amplitudes that should cancel leave such numbers behind. Only x86 processors have the mode as set here.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        old = cgutils.alloca_once_value(builder, _I32(0))
        if _meanings.IS_X86:
            _control_word(builder, "stmxcsr", old)
            new = cgutils.alloca_once_value(builder, builder.or_(builder.load(old), _I32(0x8040)))
            _control_word(builder, "ldmxcsr", new)
        return builder.load(old)

    return types.int32(), codegen


@intrinsic(_meanings.restore_denormals)
def restore_denormals(typingctx: Any, mode: Any) -> Any:
    """Set the mode that `flush_denormals` returned."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _meanings.IS_X86:
            _control_word(builder, "ldmxcsr", cgutils.alloca_once_value(builder, args[0]))
        return context.get_dummy_value()

    return types.void(types.int32), codegen


def _control_word(builder: Any, instruction: str, pointer: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [pointer.type])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{instruction}")
    builder.call(function, [pointer])
