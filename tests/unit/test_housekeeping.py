"""A server's housekeeping: what it sets up, in processes of their own, and when it collects and gives memory
back.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

from basicaer.service.housekeeping import House, short_turns


class Cycle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.own = self


async def kept(house: House, seconds: float = 0.3) -> None:
    task = asyncio.create_task(house.keep())
    await asyncio.sleep(seconds)
    task.cancel()


async def test_cycles_are_collected_unless_programs_are_large() -> None:
    prepared = 1 << 30
    gc.disable()
    try:
        seen = weakref.ref(Cycle())
        house = House(lambda: prepared, lambda: 0.0, interval=0.02)
        await kept(house)
        assert seen() is not None
        prepared = 1 << 20
        await kept(house)
        assert seen() is None
    finally:
        gc.enable()


async def test_memory_is_given_back_once_after_large_requests_have_ceased() -> None:
    trimmed: list[int] = []

    def trim(spare: int) -> int:
        trimmed.append(spare)
        return 1

    # Still to come, as it were.
    last = time.monotonic() + 1000.0
    house = House(lambda: 0, lambda: last, interval=0.02)
    house._trim = trim
    await kept(house)
    assert trimmed == []
    last = time.monotonic()
    await kept(house)
    await kept(house)
    assert trimmed == [0]


def said(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout.split()


def test_malloc_keeps_what_is_free_until_it_is_given_back() -> None:
    first, free, back = map(
        int,
        said("""
from ctypes import CDLL
from pathlib import Path
from basicaer.service.housekeeping import settle

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) >> 10

settle()
blocks = [bytes([n + 1]) * (48 << 20) for n in range(4)]
print(resident())
del blocks
print(resident())
CDLL(None).malloc_trim(0)
print(resident())
"""),
    )
    assert free > first - 16
    assert back < first - 128


def test_a_server_is_set_up_and_looked_after(tmp_path: Path) -> None:
    script = f"""
import asyncio, gc, os, signal, sys
from pathlib import Path
from basicaer.service import main
from basicaer.service.config import Config
from basicaer.service.telemetry import Logs

def announce(address, http_url):
    print(sys.getswitchinterval(), gc.get_threshold()[2] > 1_000_000, end=" ")
    print(*[task.get_name() for task in asyncio.all_tasks()])
    os.kill(os.getpid(), signal.SIGTERM)

config = Config(data_dir=Path({str(tmp_path)!r}), listen="127.0.0.1:0")
main.run(config, Logs("error", "text"), announce)
"""
    interval, collects, *tasks = said(script)
    assert (interval, collects) == ("0.005", "True")
    assert "housekeeping" in tasks


def test_turns_are_short_while_any_thread_does_what_takes_long() -> None:
    usual = sys.getswitchinterval()
    inside, leave = threading.Barrier(3), threading.Event()

    def work() -> None:
        with short_turns():
            inside.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=work) for _ in range(2)]
    try:
        for thread in threads:
            thread.start()
        inside.wait(10)
        with short_turns():
            assert sys.getswitchinterval() == 0.001
        assert sys.getswitchinterval() == 0.001
        leave.set()
        for thread in threads:
            thread.join()
        assert sys.getswitchinterval() == 0.005
    finally:
        leave.set()
        sys.setswitchinterval(usual)
