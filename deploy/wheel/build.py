"""Builds the wheel that carries compiled kernels, so that a first start compiles nothing.

    python deploy/wheel/build.py dist

It is for this Python and this numba, of which compiled code is a matter, and for x86-64, where it has code
for each kind of processor that this machine can run; elsewhere, and with another numba, the kernels are
compiled at the first start, as always. On other machines than x86-64 it's the wheel without kernels.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from basicaer.simulator.methods.statevector.engine.machine._kept import TARGETS
from llvmlite import binding

_ROOT = Path(__file__).parents[2]
_INSIDE = "basicaer/simulator/kernels"


def _compile(folder: Path) -> list[str]:
    """Compile for all kinds of processors that this one is of, at once; returns which."""
    has = binding.get_host_cpu_features()
    targets = [name for name, needed in TARGETS.items() if all(has.get(one) for one in needed)]
    running = []
    for target in targets:
        # Eight numbers at once are what the engine's vectors are; LLVM would halve them for the first
        # processors that could do that.
        features = ["-prefer-256-bit", *(f"+{name}" for name in TARGETS[target])]
        environment = {
            **os.environ,
            "NUMBA_CPU_NAME": target,
            "NUMBA_CPU_FEATURES": ",".join(features),
            "NUMBA_CACHE_DIR": str(folder / f"cache-{target}"),
        }
        command = [sys.executable, str(Path(__file__).with_name("compile.py")), str(folder / "kernels")]
        running.append(subprocess.Popen(command, env=environment))
    if any(process.wait() for process in running):
        raise SystemExit("error: the kernels could not be compiled, as told above")
    return targets


def _tag() -> str:
    """Return the wheel's tag: compiled code is of one version of Python, whatever its ABI."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"cp{sys.version_info.major}{sys.version_info.minor}-none-{platform}"


def _record(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def _add(plain: Path, kernels: Path, out: Path) -> Path:
    """Write the wheel again, with the kernels; returns where."""
    made = out / plain.name.replace("py3-none-any", _tag())
    record, lines = "", ""
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        files = {name: old.read(name) for name in old.namelist()}
        for path in sorted(kernels.rglob("*.nb[ci]")):
            files[f"{_INSIDE}/{path.relative_to(kernels).as_posix()}"] = path.read_bytes()
        for name, data in files.items():
            if name.endswith(".dist-info/RECORD"):
                record = name
                continue
            if name.endswith(".dist-info/WHEEL"):
                data = data.replace(b"py3-none-any", _tag().encode())
                data = data.replace(b"Purelib: true", b"Purelib: false")
            new.writestr(name, data)
            lines += _record(name, data)
        new.writestr(record, f"{lines}{record},,\n")
    return made


def main() -> None:
    """Build the wheel without kernels, compile those of its sources, and join both."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", str(work), str(_ROOT)], check=True)
        (plain,) = work.glob("*.whl")
        targets = _compile(work)
        if targets:
            print(_add(plain, work / "kernels", out))
        else:
            print(plain.rename(out / plain.name))


if __name__ == "__main__":
    main()
