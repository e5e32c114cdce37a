"""Compiles a function together with all that it calls, once.

numba compiles each function by itself, with two entries from Python and C, for machine code of its own, and
links into each function the finished modules of those that it calls, which are optimized again there: a
function that lies five calls deep is optimized six times. Only few functions here are called by Python. So a
function that is called by a compiled one stops at LLVM's text, and the one that Python calls takes the texts
of all of them and is optimized as a whole. What is computed is the same to the last bit, since LLVM doesn't
reorder the arithmetic of what it inlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba.core import compiler, sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.dispatcher import _FunctionCompiler  # type: ignore[attr-defined]  # numba has no types
from numba.core.types.misc import unliteral
from numba.core.typing import make_concrete_template

__all__ = ["linked"]


def linked(dispatcher: Any) -> Any:
    """Return numba's dispatcher, which compiles from now on as the module says."""
    dispatcher._compiler = _like(dispatcher._compiler, _WholeCompiler)
    callee = _Callee(dispatcher)
    dispatcher.get_call_template = callee.get_call_template
    dispatcher.get_overload = callee.get_overload
    return dispatcher


class _Whole(JITCodeLibrary):
    """The code of a function that Python calls, with that of all that it calls."""

    def add_linking_library(self, library: Any) -> None:
        """Take the code of another one, and what that needs."""
        library._ensure_finalized()
        needed = library._linking_libraries if isinstance(library, _Part) else ()
        self._linking_libraries.extend(
            one for one in (library, *needed) if one not in self._linking_libraries
        )


class _Part(_Whole):
    """The code of a function that a compiled one calls: a text for it to take."""

    def finalize(self) -> None:
        """Take nothing in, optimize nothing, and make no machine code."""
        self._raise_if_finalized()
        self._finalized = True


class _WholeCompiler(_FunctionCompiler):
    library: type[_Whole] = _Whole

    def _compile_core(self, args: Any, return_type: Any) -> Any:
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        if self.library is _Part:
            flags.no_compile = flags.no_cpython_wrapper = True
        # Nothing calls these functions from C.
        flags.no_cfunc_wrapper = True
        target = self.targetdescr.target_context
        library = self.library(target.codegen(), self.py_func.__qualname__)
        library.enable_object_caching()
        return compiler.compile_extra(
            self.targetdescr.typing_context,
            target,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=library,
            pipeline_class=self.pipeline_class,
        )


class _PartCompiler(_WholeCompiler):
    library = _Part


def _like(own: Any, kind: type[_WholeCompiler]) -> _WholeCompiler:
    return kind(own.py_func, own.targetdescr, own.targetoptions, own.locals, own.pipeline_class)


class _Callee:
    """What compiled code calls of a function: a part for each kind of arguments.

    A call with constants among its arguments gets the common code, and not code of its own, as numba would
    make.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._compiler = _like(dispatcher._compiler, _PartCompiler)
        self._overloads: dict[tuple[Any, ...], tuple[object, Any]] = {}

    def get_call_template(self, args: Sequence[Any], kws: Any) -> tuple[Any, ...]:
        """Return the types of a call, as numba's dispatchers do; the function is compiled by then."""
        compiler = self._compiler
        pysig, folded = compiler.fold_argument_types([unliteral(arg) for arg in args], kws)
        args = tuple(folded)
        if args not in self._overloads:
            # Tells numba of a function that calls itself.
            with self._dispatcher._compiling_counter:
                made = compiler.compile(args, None)
            key = object()
            compiler.targetdescr.target_context.insert_user_function(key, made.fndesc, [made.library])
            self._overloads[args] = key, made.signature
        name = compiler.py_func.__name__
        template = make_concrete_template(name, key=name, signatures=[self._overloads[args][1]])
        return template, pysig, args, {}

    def get_overload(self, signature: Any) -> object:
        """Return what numba finds the code for a signature by."""
        args, _ = sigutils.normalize_signature(signature)
        return self._overloads[tuple(args)][0]
