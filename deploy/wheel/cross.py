"""Turns code that was compiled here into code for AArch64, which can't be run here.

numba makes LLVM's text for the processor that it runs on; LLVM makes machine code of it for any. Both kinds
of processors lay out what the text names alike, so that the text needs no more than another target. What can
be checked without such a processor is: that the text has no instruction of this one's, that the code is
AArch64's, and that this process, whose loader provides what numba's does there, knows each function that the
code calls.
"""

from __future__ import annotations

import re
import struct
import weakref
from typing import Any

from llvmlite import binding
from numba.core.codegen import JITCodeLibrary

__all__ = ["AARCH64", "CrossError", "for_aarch64", "needed", "remember"]

AARCH64 = "aarch64-v8"
_TRIPLE = "aarch64-unknown-linux-gnu"
_MACHINE = 183
"""Of ELF files for AArch64."""
_texts: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
"""The optimized text of each function that was compiled, before it became machine code."""


def remember() -> None:
    """From now on, keep what `for_aarch64` needs of whatever is compiled. Before the first function is.

    As LLVM makes machine code of a module, it puts the processor's own instructions into it, which other
    functions would take over.
    """
    finalize, link = JITCodeLibrary._finalize_specific, JITCodeLibrary._get_module_for_linking

    def finalize_kept(library: Any) -> None:
        _texts[library] = str(library._final_module)
        finalize(library)

    def link_kept(library: Any) -> Any:
        if library not in _texts:  # it never becomes machine code by itself
            return link(library)
        changed = library._final_module
        library._final_module = binding.parse_assembly(_texts[library])
        try:
            return link(library)
        finally:
            library._final_module = changed

    JITCodeLibrary._finalize_specific = finalize_kept
    JITCodeLibrary._get_module_for_linking = link_kept


class CrossError(Exception):
    """Code that can't be made, or can't work, on the other processor."""


def for_aarch64(made: Any) -> tuple[Any, ...]:
    """Return what numba keeps of a compiled function, with machine code for AArch64.

    Raises:
        CrossError: The code uses what only this processor has, or calls what numba doesn't provide.
    """
    name, kind, _ = made.library.serialize_using_object_code()
    machine = _machine()
    text = _retargeted(_texts[made.library], machine)
    if found := re.search(r"@llvm\.x86\.[\w.]+|asm sideeffect", text):
        raise CrossError(f"{name} has {found[0]}, which AArch64 hasn't")
    module = binding.parse_assembly(text)
    module.verify()
    code = machine.emit_object(module)
    for symbol in needed(code):
        if binding.address_of_symbol(symbol) is None:
            raise CrossError(f"{name} calls {symbol}, which nobody provides")
    # LLVM has changed the module itself.
    names = binding.parse_assembly(text).as_bitcode()
    return (name, kind, (code, names)), *made._reduce()[1:]


def needed(code: bytes) -> set[str]:
    """Return the names that an object file for AArch64 leaves to the loader.

    Raises:
        CrossError: It isn't such a file.
    """
    if code[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", code, 18)[0] != _MACHINE:
        raise CrossError("LLVM has made no 64-bit object file for AArch64")
    (sections,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    headers = [struct.unpack_from("<IIQQQQII", code, sections + size * number) for number in range(count)]
    found = set()
    for _, kind, _, _, start, length, link, _ in headers:
        if kind != 2:  # a table of symbols
            continue
        names = headers[link][4]
        for at in range(start, start + length, 24):
            where, _, _, section = struct.unpack_from("<IBBH", code, at)
            if section == 0 and where:
                begin = names + where
                found.add(code[begin : code.index(b"\0", begin)].decode())
    return found


def _machine() -> Any:
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    # As numba asks for it there; any such processor has these.
    return binding.Target.from_triple(_TRIPLE).create_target_machine(
        cpu="generic", features="+neon,+fp-armv8", opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


def _retargeted(text: str, machine: Any) -> str:
    text = re.sub(r'^target triple = ".*"$', f'target triple = "{_TRIPLE}"', text, flags=re.MULTILINE)
    layout = f'target datalayout = "{machine.target_data}"'
    text = re.sub(r'^target datalayout = ".*"$', layout, text, flags=re.MULTILINE)
    return re.sub(r'"(target-cpu|target-features|tune-cpu)"="[^"]*"', "", text)
