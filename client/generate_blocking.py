"""Writes the blocking client's modules, which are the asyncio client's without the waiting.

`make blocking` runs it; `make check-blocking` says whether somebody forgot that. unasync changes the code;
what a person reads of it, such as who may share it, is said here for both.

Only what differs by its waiting alone is made so. What is left of the two transports is how they wait: one
has threads that drain streams, semaphores, and an end that the garbage collector may ask for; the other has
tasks that belong to an event loop, and a cancellation that has to be told apart from its caller's. They have
the signatures in common, and hardly a statement.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

CLIENT = Path(__file__).parent / "basicaer" / "client"
# Each module that is written here, by the one that it is made of.
MODULES = {
    CLIENT / "transport" / "_async_calls.py": CLIENT / "transport" / "_calls.py",
    CLIENT / "jobs" / "_async_job.py": CLIENT / "jobs" / "_job.py",
    CLIENT / "jobs" / "_async_provider.py": CLIENT / "jobs" / "_provider.py",
}
NAMES = {
    "AsyncBasicAerBackend": "BasicAerBackend",
    "AsyncBasicAerJob": "BasicAerJob",
    "AsyncBasicAerProvider": "BasicAerProvider",
    "AsyncCalls": "Calls",
    "AsyncJobCalls": "JobCalls",
    "AsyncSubscription": "Subscription",
    "AsyncTransport": "Transport",
    "JobServiceAsyncStub": "JobServiceStub",
    "_async_calls": "_calls",
    "_async_job": "_job",
    "_async_transport": "_transport",
    "aclosing": "closing",
    # Threads may share what pickles become; event loops may not.
    "reconnected": "reconnected_once",
}
# What stands in one module each, for asyncio and for threads.
TEXTS = (
    ("AsyncGenerator[JobEvent, None]", "AsyncGenerator[JobEvent, None, None]"),
    ("AsyncGenerator[Notice, None]", "AsyncGenerator[Notice, None, None]"),
    ("Callable[[], Awaitable[R]]", "Callable[[], R]"),
    ("import grpc.aio\n", ""),
    ("grpc.aio.UnaryUnaryMultiCallable", "grpc.UnaryUnaryMultiCallable"),
    ("            EventLoopError: It belongs to another event loop.\n", ""),
    (
        """
        least every `wait` seconds, whatever the network does; what it returns is awaited if it can be. An
        exception of it ends the wait and reaches the caller.
""",
        """
        least every `wait` seconds, whatever the network does. An exception of it ends the wait and reaches
        the caller.
""",
    ),
    (
        '"""A job on a server, for the tasks of one event loop; none of its methods polls.',
        '"""A job on a server. Any thread may use it; none of its methods polls.',
    ),
    (
        """for the tasks of the event loop that uses it first. Close it, or use it in an
    `async with`.

    async with AsyncBasicAerProvider("127.0.0.1:50051") as provider:
        backend = await provider.get_backend("qasm_simulator")
        counts = (await (await backend.run(circuit, shots=1000)).result()).get_counts()

    In another loop its calls, and those of its backends and jobs, raise EventLoopError.
""",
        """for any number of threads. Close it, or use it in a `with`.

    with BasicAerProvider("127.0.0.1:50051") as provider:
        counts = provider.get_backend("qasm_simulator").run(circuit, shots=1000).result().get_counts()
""",
    ),
    ('f"<AsyncBasicAerProvider(', 'f"<BasicAerProvider('),
)
HEADER = "# Made of {} by `make blocking`; edit that.\n\n"


def blocking(source: str) -> str:
    """Return the blocking twin of a module's code, as ruff formats it."""
    for asynchronous, of_threads in TEXTS:
        source = source.replace(asynchronous, of_threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "asyncio", "module.py")
        path.parent.mkdir()
        path.write_text(source)
        rule = unasync.Rule("/asyncio/", "/blocking/", additional_replacements=NAMES)
        unasync.unasync_files([str(path)], [rule])
        return _tidied(Path(folder, "blocking", "module.py").read_text())


def _tidied(code: str) -> str:
    """Return code with its imports in order and its lines of the right length."""
    for command in (["check", "--select", "F401,I", "--fix", "--quiet"], ["format", "--quiet"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(CLIENT / "module.py"), "-"],
            input=code,
            capture_output=True,
            text=True,
            check=True,
        )
        code = run.stdout
    return code


def main() -> None:
    """Write the modules; with `--check`, only say which are stale, and exit with 1 if any is."""
    stale = []
    sources = {path: path.read_text() for path in MODULES}
    for asynchronous, _ in TEXTS:
        if sum(source.count(asynchronous) for source in sources.values()) != 1:
            raise SystemExit(f"{__file__}: this text isn't in the asyncio client once:\n{asynchronous}")
    for path, source in sources.items():
        twin = MODULES[path]
        code = HEADER.format(path.name) + blocking(source)
        if not twin.exists() or twin.read_text() != code:
            stale.append(twin)
            if "--check" not in sys.argv[1:]:
                twin.write_text(code)
    if "--check" in sys.argv[1:] and stale:
        names = ", ".join(twin.name for twin in stale)
        raise SystemExit(f"{names} stale: run 'make blocking'")


if __name__ == "__main__":
    main()
