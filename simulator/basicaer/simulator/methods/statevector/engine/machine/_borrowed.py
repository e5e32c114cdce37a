"""What makes compiled functions of a few instructions cheap to call.

numba passes an array as seven words, and counts its references with atomic additions each time that a
function takes one out of a tuple, makes a slice, or hands it on. Functions of some dozen instructions spend
most of their time on that.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from basicaer.simulator.methods.statevector.engine.machine import _meanings
from basicaer.simulator.methods.statevector.engine.machine._jit import intrinsic
from basicaer.simulator.methods.statevector.engine.machine._linking import linked
from numba import config, njit
from numba.core import types

_F = TypeVar("_F", bound=Callable[..., Any])


def inlined(function: _F) -> _F:
    """Make `function` one that compiled functions call; LLVM puts its code into that of each of them."""
    if config.DISABLE_JIT:
        return function
    options = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    return cast(_F, linked(njit(forceinline=True, **options)(function)))


def merged(function: _F) -> _F:
    """Make `function` a part of each compiled caller: for a large one with one caller, which is then compiled
    once, and not by itself as well.
    """
    return function if config.DISABLE_JIT else cast(_F, njit(inline="always")(function))


@intrinsic(_meanings.itself)
def _borrowed(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = context.make_array(array)(context, builder, args[0])
        view.meminfo = view.meminfo.type(None)
        view.parent = view.parent.type(None)
        return view._getvalue()

    return array(array), codegen


@intrinsic(_meanings.nothing)
def _keep(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_dummy_value()

    return types.void(array), codegen


def _itself(array: Any) -> Any:
    return array


def _nothing(array: Any) -> None:
    pass


borrowed: Callable[[Any], Any] = _itself if config.DISABLE_JIT else _borrowed
"""The same array, uncounted: something else has to keep its memory for as long as it is used.

An argument of the function that Python calls is kept by the caller; what a compiled function makes is freed
after the last use of the counted array; `keep` is one. Interpreted, it's the array.
"""

keep: Callable[[Any], None] = _nothing if config.DISABLE_JIT else _keep
"""Does nothing with an array, but is a use of it: its memory stays up to here, also for what borrowed it."""
