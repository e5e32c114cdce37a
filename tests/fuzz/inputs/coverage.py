"""atheris, which looks for inputs that reach lines which no input has reached before.

libFuzzer, which is inside of it, doesn't come back from its loop: it ends the process. So a hunt is a process
of its own, of which `hunt` tells what came out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.targets import find

__all__ = ["Hunt", "hunt"]

# One input may take so long (seconds), be so long (bytes), and the process may have so much memory (MiB).
_SLOWEST, _LONGEST, _MEMORY = 30, 20_000, 4096
# What may pass before and after the time that was asked for (seconds): a server has to start.
_SLACK = 240
_WATCHED = ["basicaer", "jwt"]
_DONE = re.compile(r"^stat::number_of_executed_units:\s*(\d+)|^Done (\d+) runs", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hunt:
    """What came out of a hunt: how many inputs were tried, the one that was not handled, and what it did."""

    runs: int
    finding: bytes | None
    text: str


def hunt(target: str, seconds: int, seed: int, runs: int = -1) -> Hunt:
    """Fuzzes a target for about so many seconds, or with so many inputs: the same ones each time.

    Raises:
        RuntimeError: The hunt didn't take place; with its output.
    """
    with tempfile.TemporaryDirectory(prefix="basicaer-fuzz-") as scratch:
        asked = [target, *map(str, (seconds, seed, runs)), scratch]
        command = [sys.executable, "-m", "tests.fuzz.inputs.coverage", *asked]
        # Whatever the process leaves behind goes with the folder. Qiskit's panics are the parser's to handle.
        environment = {**os.environ, "TMPDIR": scratch, "RUST_BACKTRACE": "0"}
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            timeout=seconds + _SLACK,
        )
        text = done.stdout.decode(errors="replace")
        found = sorted(Path(scratch, "findings").glob("*"))
        counts = [int(first or second) for first, second in _DONE.findall(text)]
        if not counts and not found:
            raise RuntimeError(f"atheris ended with {done.returncode}: {text[-4000:]}")
        return Hunt(max(counts, default=0), found[0].read_bytes() if found else None, _told(text))


def _told(text: str) -> str:
    """Returns the traceback of the finding, if there is one."""
    _, mark, rest = text.partition("=== Uncaught Python exception: ===")
    return rest.partition("==\n")[0].strip() if mark else text[-2000:]


def _main(name: str, seconds: str, seed: str, runs: str, scratch: str) -> None:
    import atheris

    # Imported before anything is watched: numba can't compile what atheris makes of a function.
    import basicaer.service.wire._kernels
    import basicaer.simulator  # noqa: F401 - for its effect

    with atheris.instrument_imports(include=_WATCHED):
        target = find(name)
    corpus, findings, words = (Path(scratch, part) for part in ("corpus", "findings", "words"))
    corpus.mkdir()
    findings.mkdir()
    for number, data in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(data)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if word))
    random = Random(int(seed))

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        # Both: what keeps the sense of an input goes deep, and what doesn't goes where nobody has thought of.
        if number % 4 == 0:
            return bytes(atheris.Mutate(data, max_size))
        return target.mutate(data, random)[:max_size]

    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={_SLOWEST}", f"-max_len={_LONGEST}"]
    options += [f"-runs={runs}", f"-rss_limit_mb={_MEMORY}", f"-artifact_prefix={findings}/"]
    if target.words:
        options.append(f"-dict={words}")
    arguments = [sys.argv[0], *options, "-print_final_stats=1", str(corpus)]
    with target.around():
        atheris.Setup(arguments, target.run, custom_mutator=mutate)
        atheris.Fuzz()


def _escaped(word: str) -> str:
    """Returns a word as libFuzzer's dictionaries have it."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}"
        for byte in word.encode(errors="surrogateescape")
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
