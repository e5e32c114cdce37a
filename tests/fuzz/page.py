"""What the page sends beside the contract: a program to be drawn, a token, a cookie. Each is taken or refused
by a field, and a program is answered with pieces that stand on its qubits, or with why not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._who import cookie_token
from basicaer.service.doors.http.page._drawings import asked, drawn
from basicaer.service.doors.http.page._sessions import token_in
from basicaer.service.errors import ServiceError
from basicaer.v1 import error_reason_pb2 as reasons

from tests.fuzz import openqasm2, openqasm3
from tests.fuzz.inputs.mutation import mutate_bytes, mutate_text
from tests.fuzz.targets import Target

__all__ = ["PAGE"]

_WORDS = (*openqasm3.OPENQASM3.words, '"openqasm2"', '"token"', "basicaer=", "__Host-basicaer=", "; ", '\\"')


def _exchange(cookie: bytes) -> Exchange:
    async def unused(*_: Any) -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "headers": [(b"cookie", cookie)]}
    return Exchange(scope, unused, unused)


def _draw(field: str, text: str) -> None:
    found = json.loads(json.dumps(drawn(field, text)))
    if "fault" in found:
        assert found["fault"]
        return
    for column in found["columns"]:
        qubits = [int(qubit) for piece in column for qubit in piece["labels"]]
        assert len(set(qubits)) == len(qubits), "two pieces on one wire"
        assert not qubits or max(qubits) < len(found["qubits"])


def _run(data: bytes) -> None:
    for take in (asked, token_in):
        try:
            taken = take(data)
        except ServiceError as error:
            assert error.reason == reasons.ERROR_REASON_OPTION_INVALID, error
        else:
            if isinstance(taken, tuple):
                _draw(*taken)
            else:
                assert taken.isascii()
    token = cookie_token(_exchange(data.replace(b"\n", b" ")))
    assert isinstance(token, str)


def _seeds() -> Sequence[bytes]:
    texts = {"openqasm3": openqasm3.OPENQASM3, "openqasm2": openqasm2.OPENQASM2}
    programs = [
        json.dumps({field: seed.decode()}).encode()
        for field, target in texts.items()
        for seed in target.seeds()
    ]
    return [*programs, b'{"token": "basicaer_abc"}', b"a=b; basicaer=abc; c", b'basicaer="x\\"y"']


def _mutate(data: bytes, random: Random) -> bytes:
    if random.randrange(4):
        try:
            ((field, text),) = json.loads(data).items()
            return json.dumps({field: mutate_text(text, random, _WORDS)}).encode()
        except (ValueError, AttributeError, TypeError):
            pass
    return mutate_bytes(data, random)


PAGE = Target(name="page", run=_run, seeds=_seeds, mutate=_mutate, words=_WORDS)
