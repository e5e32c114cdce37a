"""Atomic counters for threads that share one run, which numba lacks for the CPU."""

from typing import Any

from basicaer.simulator.methods.statevector.engine.machine import _meanings
from basicaer.simulator.methods.statevector.engine.machine._jit import intrinsic
from llvmlite import ir
from numba.core import cgutils, types


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


@intrinsic(_meanings.fetch_add)
def fetch_add(typingctx: Any, array: Any, index: Any, amount: Any) -> Any:
    """Add to array[index], an int64, and return what it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic(_meanings.load_acquire)
def load_acquire(typingctx: Any, array: Any, index: Any) -> Any:
    """array[index], an int64, and with it everything that was written before it was set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, array, args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@intrinsic(_meanings.relax)
def relax(typingctx: Any, waited: Any) -> Any:
    """Let another thread run while this one waits for the `waited`-th time: at first briefly, then by the
    scheduler.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = args[0]
        often = builder.icmp_signed(">", number, context.get_constant(types.int64, 2000))
        with builder.if_else(often) as (then, otherwise):
            with then:
                yields = cgutils.get_or_insert_function(
                    builder.module, ir.FunctionType(ir.IntType(32), []), "sched_yield"
                )
                builder.call(yields, [])
            with otherwise:
                builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(types.int64), codegen
