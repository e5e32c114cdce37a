"""Builds the wheels that carry compiled kernels, so that a first start compiles nothing.

    python -m deploy.wheel.build dist

They are for this Python and this numba, of which compiled code is a matter: one for x86-64, with code for
each kind of processor that this machine can run, and one for AArch64, whose code is made here and can't be
run. Elsewhere, and with another numba, the kernels are compiled at the first start, as always. On other
machines than x86-64 it's one wheel without kernels.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from basicaer.simulator.methods.statevector.engine.machine._kept import TARGETS
from llvmlite import binding

from deploy.wheel.cross import AARCH64

_ROOT = Path(__file__).parents[2]
_IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
_INSIDE = "basicaer/simulator/kernels"


def _compile(folder: Path) -> dict[str, list[str]]:
    """Compile for all kinds of processors that this one is of, and for AArch64, at once; returns which, by
    the wheel's platform.
    """
    has = binding.get_host_cpu_features()
    own = [name for name, needed in TARGETS.items() if all(has.get(one) for one in needed)]
    if not _IS_X86 or not own:
        return {}
    # Of what is compiled once more, LLVM has assumed no processor in particular.
    made_for = {name: (name, [f"+{one}" for one in TARGETS[name]]) for name in own} | {
        AARCH64: ("x86-64", [])
    }
    running = []
    for target, (processor, its_features) in made_for.items():
        # Eight numbers at once are what the engine's vectors are; LLVM would halve them for the first
        # processors that could do that.
        features = ["-prefer-256-bit", *its_features]
        environment = {
            **os.environ,
            "NUMBA_CPU_NAME": processor,
            "NUMBA_CPU_FEATURES": ",".join(features),
            "NUMBA_CACHE_DIR": str(folder / f"cache-{target}"),
        }
        command = [sys.executable, "-m", "deploy.wheel.compile", str(folder / "kernels"), target]
        running.append(subprocess.Popen(command, env=environment, cwd=_ROOT))
    if any(process.wait() for process in running):
        raise SystemExit("error: the kernels could not be compiled, as told above")
    return {"linux_x86_64": own, "linux_aarch64": [AARCH64]}


def _tag(system: str) -> str:
    """Return the wheel's tag: compiled code is of one version of Python, whatever its ABI."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}-none-{system}"


def _record(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def _add(plain: Path, kernels: Path, targets: list[str], out: Path, tag: str) -> Path:
    """Write the wheel again, with the kernels for some targets; returns where."""
    made = out / plain.name.replace("py3-none-any", tag)
    record, lines = "", ""
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        files = {name: old.read(name) for name in old.namelist()}
        for path in sorted(path for target in targets for path in (kernels / target).rglob("*.nb[ci]")):
            files[f"{_INSIDE}/{path.relative_to(kernels).as_posix()}"] = path.read_bytes()
        for name, data in files.items():
            if name.endswith(".dist-info/RECORD"):
                record = name
                continue
            if name.endswith(".dist-info/WHEEL"):
                data = data.replace(b"py3-none-any", tag.encode())
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
        made = _compile(work)
        for system, targets in made.items():
            print(_add(plain, work / "kernels", targets, out, _tag(system)))
        if not made:
            print(plain.rename(out / plain.name))


if __name__ == "__main__":
    main()
