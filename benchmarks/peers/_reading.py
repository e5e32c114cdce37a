"""The process in which one reader of OpenQASM 3 lives: it reads files, and says how long each took.

It runs under the interpreter of the reader's own virtual environment. Answers have a pipe of their own; what
a library prints is let go.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

__all__ = ["READERS"]

Read = Callable[[str], object]


def _ours() -> Read:
    reader = import_module("basicaer.service.parsing.openqasm3")
    return lambda text: reader.parse(text, max_bytes=1 << 30, max_instructions=10_000_000)


def _reader(module: str, name: str) -> Read:
    # None of these libraries is in this environment, where types are checked.
    found: Read = getattr(import_module(module), name)
    return found


def _reference() -> Read:
    return _reader("openqasm3", "parse")


def _qdk_analyze() -> Read:
    return _reader("qdk.openqasm", "analyze")


def _qdk_import() -> Read:
    reader = import_module("qdk.openqasm")
    return lambda text: reader.import_openqasm(text, name="read")


def _qiskit() -> Read:
    return _reader("qiskit.qasm3", "loads")


def _qiskit_experimental() -> Read:
    warnings.simplefilter("ignore")
    return _reader("qiskit.qasm3", "loads_experimental")


READERS: dict[str, Callable[[], Read]] = {
    "ours": _ours,
    "openqasm3 (the reference, ANTLR)": _reference,
    "qdk.openqasm.analyze": _qdk_analyze,
    "qdk.openqasm.import_openqasm": _qdk_import,
    "qiskit.qasm3.loads": _qiskit,
    "qiskit.qasm3.loads_experimental": _qiskit_experimental,
}
"""By their names; each imports its library when it is called."""


def main(name: str) -> None:
    """Serve commands until stdin ends: a file's path in a line, answered by seconds or by an error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    read = READERS[name]()
    for line in sys.stdin:
        text = Path(line.rstrip("\n")).read_text()
        start = time.perf_counter()
        try:
            read(text)
        except Exception as error:
            answers.write(json.dumps({"error": " ".join(str(error).split())[:60]}) + "\n")
        else:
            answers.write(json.dumps({"seconds": time.perf_counter() - start}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
