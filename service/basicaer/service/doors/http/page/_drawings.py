"""A program's text as the pieces of a picture, for the page beside whose editor it is drawn."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from basicaer.client.drawing import layout
from basicaer.service.access import Callers
from basicaer.service.doors.http._documents import JSON
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._who import caller_of
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.service.parsing import LANGUAGES, ProgramFault, TakesLongError

__all__ = ["Drawings", "asked", "drawn"]

# What is larger is no picture that somebody looks at.
_MOST_BODY, _MOST_INSTRUCTIONS, _MOST_DRAWN, _MOST_QUBITS = 64 * 1024, 20_000, 1_000, 100


class Drawings:
    """`/page/drawing`: a POST of {"openqasm2" or "openqasm3": text} is answered with what `layout` tells, or
    with {"fault": why there is no picture}.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request.

        Raises:
            ServiceError: UNAUTHENTICATED; OPTION_INVALID: the body is none.
        """
        if exchange.method != "POST":
            await exchange.fail_untyped(
                HTTPStatus.METHOD_NOT_ALLOWED, "Here is POST alone.", [("allow", "POST")]
            )
            return
        caller_of(exchange, self._callers)
        field, text = asked(await exchange.body(_MOST_BODY))
        body = await asyncio.to_thread(drawn, field, text)
        await exchange.answer(HTTPStatus.OK, JSON, json.dumps(body).encode())


def asked(body: bytes) -> tuple[str, str]:
    """Return which program is to be drawn: its field in `Program`, and its text.

    Raises:
        ServiceError: OPTION_INVALID: the body is none.
    """
    try:
        ((field, text),) = json.loads(body).items()
    except (ValueError, AttributeError, RecursionError):
        field, text = "", ""
    if field not in LANGUAGES or not isinstance(text, str):
        raise option_invalid("body", 'The body is not {"openqasm3": "…"}, or another language\'s field.')
    return field, text


def drawn(field: str, text: str) -> dict[str, Any]:
    """Return the answer for a program: its picture's pieces, or why there is none."""
    try:
        circuit = LANGUAGES[field].parse_at_once(
            text, max_bytes=_MOST_BODY, max_instructions=_MOST_INSTRUCTIONS
        )
        if circuit.num_qubits > _MOST_QUBITS:
            return {"fault": f"{circuit.num_qubits:,} qubits are more than a picture has room for."}
        found = layout(circuit, most=_MOST_DRAWN)
    except TakesLongError:
        return {"fault": "This program is too long to be drawn while it is written."}
    except ProgramFault as fault:
        return {"fault": fault.message}
    except (ValueError, ServiceError) as error:
        return {"fault": str(error)}
    return {
        "phase": found.phase,
        "qubits": found.qubits,
        "columns": [
            [{"labels": piece.labels, "joined": piece.is_joined} for piece in column]
            for column in found.columns
        ],
        "leftOut": found.left_out,
    }
