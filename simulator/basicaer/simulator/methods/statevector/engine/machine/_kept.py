"""Compiled code on disk: what this user's processes have compiled, and what came with the package.

Code that came with the package lies in `simulator/kernels`, in a folder for each of `TARGETS`: the
processor's best is read, where it was made of these very sources by this numba. Everything else is compiled
here, and kept where numba keeps it. Both are found by what they were made of, and not by when the file was
written, so that they may be copied. Each file ends with a digest of itself: who ran damaged code would end
by a signal, or compute something else.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import inspect
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
from llvmlite import binding
from numba import config
from numba.core import caching, sigutils

__all__ = ["TARGETS", "alone", "comes_from_others", "host_target", "kept", "ship"]

_log = logging.getLogger(__name__)

_ENGINE = Path(__file__).parents[1]
_SIMULATOR = _ENGINE.parents[2]
# What is compiled into functions of other files.
_SOURCES = (_ENGINE, _SIMULATOR / "methods/stabilizer/kernels", _SIMULATOR / "circuit/_formulas.py")

_V3 = "avx avx2 bmi bmi2 f16c fma lzcnt movbe popcnt sse3 sse4.1 sse4.2 ssse3 xsave"
_V4 = f"{_V3} avx512f avx512bw avx512cd avx512dq avx512vl"
_V8 = "fp-armv8 neon"
TARGETS = {"x86-64-v4": _V4.split(), "x86-64-v3": _V3.split(), "aarch64-v8": _V8.split()}
"""Processors that code may come with the package for, the best first, and what they can do, by LLVM's names.
"""

_ENGINE_PACKAGE = __name__.removesuffix(".machine._kept")
_shipped_in = _SIMULATOR / "kernels"
_all: list[Any] = []


awaited: Callable[[Any, tuple[Any, ...], Callable[[], bool]], Callable[..., Any] | None] | None = None
"""Where kernels come from another process: takes a dispatcher that is called, the arguments, and what tells
whether the kernel is there. Returns what to call in its place; or None when it is there, or never will be.
`statevector/_background` sets it.
"""


def kept(dispatcher: Any) -> Any:
    """Return numba's dispatcher, whose code is kept on disk from now on."""
    cache = dispatcher._cache = _Cache(dispatcher.py_func)
    _all.append(dispatcher)
    compile_now = dispatcher._compile_for_args

    def compile_then(*args: Any, **kwargs: Any) -> Any:
        # Before numba takes its lock, under which others load what they need.
        if awaited is not None and cache.comes_from_others:
            types = tuple(dispatcher.typeof_pyval(arg) for arg in args)
            codegen = dispatcher.targetctx.codegen()
            instead = awaited(dispatcher, args, lambda: cache.has(types, codegen))
            if instead is not None:
                return instead
        return compile_now(*args, **kwargs)

    dispatcher._compile_for_args = compile_then
    return dispatcher


def comes_from_others(dispatcher: Any) -> None:
    """From now on, `awaited` is asked for the code of this one too, which isn't the engine's."""
    dispatcher._cache.is_made_apart = True


@functools.cache
def host_target() -> str:
    """Return the best of `TARGETS` that this processor is and that code came for; "" for none, and where
    NUMBA_CPU_NAME says which processor to compile for.
    """
    if config.CPU_NAME:
        return ""
    has = binding.get_host_cpu_features()
    can = (name for name, needed in TARGETS.items() if all(has.get(one) for one in needed))
    return next((name for name in can if (_shipped_in / name).is_dir()), "")


def ship(folder: Path, target: str, reduce: Callable[[Any], Any] | None = None) -> int:
    """Write all that this process has compiled to a folder of the package, as code for `target`. `reduce`
    makes what is kept of a compiled function, where that is another processor's code.

    Returns how many functions that were, each for a kind of arguments.
    """
    count = 0
    for dispatcher in _all:
        cache: _Cache = dispatcher._cache
        file = cache.shipped(folder / target)
        for made in dispatcher.overloads.values():
            Path(file._cache_path).mkdir(parents=True, exist_ok=True)
            file.save((made.signature.args, target), (reduce or cache._impl.reduce)(made))
            count += 1
    return count


class _File(caching.IndexDataCacheFile):
    """A function's index, and its code; a damaged file is as good as none.

    What pickles are followed by isn't read, so that the digest needs no place of its own.
    """

    def _dump(self, obj: Any) -> bytes:
        data: bytes = super()._dump(obj)
        return data + _digest(data)

    def _load_index(self) -> dict[Any, str]:
        version = pickle.dumps(self._version, protocol=-1)
        try:
            found = Path(self._index_path).read_bytes()
        except FileNotFoundError:
            return {}
        if not (found.startswith(version) and _is_whole(data := found[len(version) :])):
            return {}
        stamp, overloads = pickle.loads(data)
        return dict(overloads) if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        data = Path(self._data_path(name)).read_bytes()
        if not _is_whole(data):
            # As for one that is gone.
            raise OSError(errno.EIO, "damaged", self._data_path(name))
        return pickle.loads(data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _is_whole(data: bytes) -> bool:
    size = hashlib.sha256().digest_size
    return data[-size:] == _digest(data[:-size])


class _Beside(caching.InTreeCacheLocator):
    """The folder beside the code, also when this user may not write there: what is in it is of use still."""

    def ensure_cache_path(self) -> None:
        """Make and try nothing."""


class _Places(caching.CompileResultCacheImpl):
    # numba's own places in their order; without the last one, a user who may write to none of them couldn't
    # even import this package.
    _locator_classes = (*caching.CompileResultCacheImpl._locator_classes, _Beside)


class _Cache(caching.FunctionCache):
    """A function's code on disk. What can't be loaded is compiled, and what can't be saved is told, once."""

    _impl_class = _Places
    _told = False

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._stamp = hashlib.sha256(_sources() + Path(inspect.getfile(function)).read_bytes()).hexdigest()
        self._cache_file = self._file(Path(self._cache_path))
        self._shipped: Any = None
        self.is_made_apart = function.__module__.startswith(_ENGINE_PACKAGE)
        if host_target():
            self._shipped = self.shipped(_shipped_in / host_target())

    def shipped(self, folder: Path) -> Any:
        """Return the function's file among those of a target."""
        return self._file(folder / self._py_func.__module__)

    @property
    def comes_from_others(self) -> bool:
        """Whether another process compiles this function too, and can keep it where this one looks."""
        if not self.is_made_apart or isinstance(self._impl.locator, _Beside):
            return False
        try:
            self._impl.locator.ensure_cache_path()
        except OSError:
            return False
        return True

    def has(self, types: tuple[Any, ...], codegen: Any) -> bool:
        """Whether there is code for arguments of these types."""
        if self._shipped is not None and (types, host_target()) in self._shipped._load_index():
            return True
        # Who saves writes the index first, and then the code.
        with _lock(Path(self.cache_path)):
            return self._index_key(types, codegen) in self._cache_file._load_index()

    def _file(self, folder: Path) -> Any:
        return _File(cache_path=str(folder), filename_base=self._impl.filename_base, source_stamp=self._stamp)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the code for these types, or None."""
        with contextlib.suppress(OSError):
            if self._shipped is not None:
                target.refresh()
                args = tuple(sigutils.normalize_signature(signature)[0])
                found = self._shipped.load((args, host_target()))
                if found is not None:
                    return self._impl.rebuild(target, found)
            return super().load_overload(signature, target)
        return None

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep code, unless the disk is full or the folder another's.

        No two processes save code of the same folder at once: numba chooses the name of a file, and enters it
        in the function's index, in two steps, and of two processes that save the same function for different
        types one could get the name, and the other the index.
        """
        try:
            with _lock(Path(self.cache_path)):
                super().save_overload(signature, code)
        except OSError as error:
            if not _Cache._told:
                _Cache._told = True
                _log.warning(
                    "compiled kernels can't be kept in %s (%s): each start compiles them again, for about"
                    " half a minute. Set NUMBA_CACHE_DIR to a directory that this user may write and that"
                    " stays",
                    self.cache_path,
                    error.strerror,
                )


@functools.cache
def _sources() -> bytes:
    """Return the digest of everything that compiled code is made of, but for the function's own file."""
    found = hashlib.sha256(llvmlite.__version__.encode())
    for source in _SOURCES:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            found.update(path.relative_to(_SIMULATOR).as_posix().encode() + b"\0" + path.read_bytes())
    return found.digest()


def alone() -> contextlib.AbstractContextManager[None]:
    """Return a context in which one process at a time is, of those that compile all kernels for the same
    folders.
    """
    return _lock(Path(_all[0]._cache.cache_path), ".compiling")


@contextlib.contextmanager
def _lock(folder: Path, name: str = ".lock") -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        # A folder that can't be written to takes no code either.
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / name).open("ab"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
