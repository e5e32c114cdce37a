"""Calls that begin while a server ends have an end, too: gRPC's own retries lose some of those for good."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from typing import Any

import grpc
from basicaer.client.transport._channel import channel_options

# About one call in 200 was lost, so that these find it three times in four.
_ROUNDS, _CALLS = 30, 12
_DEADLINE, _LATEST = 2.0, 12.0

# Keeps each call open until it is told to end.
SERVER = """
import asyncio, os, sys, grpc

class Open(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_stream_rpc_method_handler(self.answer)

    async def answer(self, request, context):
        await context.write(b"")
        await asyncio.sleep(600)

async def main():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Open(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await server.stop(0)
    os._exit(0)

asyncio.run(main())
"""


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _call(address: str, options: Any, ended: list[float]) -> None:
    began = time.monotonic()
    channel = grpc.insecure_channel(address, options)
    with contextlib.suppress(grpc.RpcError):
        call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream("/any/method")
        list(call(b"", timeout=_DEADLINE))
    ended.append(time.monotonic() - began)
    channel.close()


def test_every_call_ends_by_its_deadline() -> None:
    source = random.Random(1)
    following = _start()
    for _ in range(_ROUNDS):
        server, following = following, _start()
        assert server.stdin is not None
        assert server.stdout is not None
        address = f"127.0.0.1:{server.stdout.readline().strip()}"
        options = channel_options(address)
        ended: list[float] = []
        callers = [
            threading.Thread(target=_call, args=(address, options, ended), daemon=True) for _ in range(_CALLS)
        ]
        stop = threading.Timer(source.uniform(0.01, 0.05), server.communicate, ["\n"])
        stop.start()
        for caller in callers:
            caller.start()
            time.sleep(source.uniform(0.0, 0.01))
        latest = time.monotonic() + _LATEST
        for caller in callers:
            caller.join(max(latest - time.monotonic(), 0.0))
        assert len(ended) == _CALLS
        stop.join()
        server.wait()
        server.stdin.close()
        server.stdout.close()
    following.kill()
    following.communicate()
