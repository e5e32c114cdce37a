"""The contract's methods as operations of HTTP: who calls, what is asked, and how the answer comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from basicaer.service.access import Callers
from basicaer.service.callers import Caller
from basicaer.service.doors.call import Call, Method, unexpected
from basicaer.service.doors.http._contract import Rule
from basicaer.service.doors.http._documents import JSON, document_of
from basicaer.service.doors.http._events import EVENT_STREAM, FINAL, EventStream, WatchStream, broken
from basicaer.service.doors.http._exchange import Exchange
from basicaer.service.doors.http._inputs import Inputs, JsonReader, UnsupportedMediaTypeError
from basicaer.service.doors.http._problems import problem
from basicaer.service.doors.http._results import send_result
from basicaer.service.doors.http._who import caller_of
from basicaer.service.doors.requests import JobRequest
from basicaer.service.doors.service import JobService
from basicaer.service.errors import ServiceError, option_invalid
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

__all__ = ["Operation", "Operations"]

_PREFERRED_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,9})(?:$|[,;\s])")
_DEFAULT_WAIT, _MOST_WAIT = 30.0, 60.0

# Answers a request that was read.
_Answer = Callable[[Any, Caller, Exchange, Call], Awaitable[None]]


class Operation:
    """One method by one path."""

    def __init__(
        self,
        method: Method,
        callers: Callers,
        inputs: Inputs,
        read: Callable[[bytes], Awaitable[Any]],
        answer: _Answer,
    ) -> None:
        self._method = method
        self._callers = callers
        self._inputs = inputs
        self._read = read
        self._answer = answer

    async def __call__(self, exchange: Exchange) -> None:
        """Answer a request, whatever it is."""
        try:
            caller = self._caller(exchange)
        except ServiceError as error:
            self._method.turned_away(error, exchange.peer)
            await exchange.fail(error)
            return
        call = Call(self._method, exchange.metadata)
        try:
            async with call.session(caller):
                request = await self._read(await self._inputs.read(exchange))
                call.is_about(caller, request)
                await self._attended(exchange, self._answer(request, caller, exchange, call))
        except asyncio.CancelledError:
            # The caller has gone, or the server stops.
            call.cancelled()
            if not exchange.started:
                await exchange.fail_untyped(HTTPStatus.SERVICE_UNAVAILABLE, "The server stops. Call again.")
        except UnsupportedMediaTypeError:
            refused = option_invalid(
                "Content-Type",
                "The body's Content-Type is neither JSON (curl's --json) nor application/protobuf.",
            )
            await exchange.fail(call.failed(refused, exchange.peer), HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        except Exception as error:
            await _fail(exchange, call.failed(error, exchange.peer))
        finally:
            call.end()

    def _caller(self, exchange: Exchange) -> Caller:
        try:
            return caller_of(exchange, self._callers)
        except ServiceError:
            raise
        except Exception as error:
            # Whoever it was, nobody is let in by a defect.
            raise unexpected(self._method.name, error) from None

    @staticmethod
    async def _attended(exchange: Exchange, work: Awaitable[None]) -> None:
        """Answer, until the caller has gone: uvicorn takes what is written to nobody in silence."""
        answering = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(exchange.gone())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                exchange.started = True
                raise asyncio.CancelledError
            answering.result()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


async def _fail(exchange: Exchange, error: ServiceError) -> None:
    if not exchange.started:
        await exchange.fail(error)
    elif exchange.streams_events:
        await exchange.write(broken(problem(error)))
        await exchange.finish()
    else:
        await exchange.cut()


class Operations:
    """Makes the operation of each rule."""

    def __init__(self, service: JobService, callers: Callers) -> None:
        self._service = service
        self._callers = callers
        self._json = JsonReader()
        self._answers: Mapping[str, _Answer] = {
            "SubmitJob": self._unary(service.submit_job),
            "RunJob": self._run,
            "WatchJob": self._watch,
            "GetJob": self._unary(service.get_job),
            "ListJobs": self._unary(service.list_jobs),
            "CancelJob": self._unary(service.cancel_job),
            "DeleteJob": self._unary(service.delete_job),
            "ReadResult": self._read_result,
            "GetServerInfo": self._unary(service.get_server_info),
            "ListBackends": self._unary(service.list_backends),
        }

    def operation(self, rule: Rule) -> Operation:
        """Return what answers the requests of a rule."""
        descriptor = pb.DESCRIPTOR.services_by_name["JobService"].methods_by_name[rule.rpc].input_type
        kind: Any = GetMessageClass(descriptor)
        requests = self._service.requests
        # Requests with a job are read apart from it.
        reader: Any = (
            requests.job_reader(kind) if "spec" in descriptor.fields_by_name else requests.reader(kind)
        )
        inputs = Inputs(rule, kind, self._json, requests.most_bytes)
        method = Method(rule.rpc, self._callers, self._service.telemetry)
        return Operation(method, self._callers, inputs, reader.read, self._answers[rule.rpc])

    def close(self) -> None:
        """Read no more long requests."""
        self._json.close()

    @staticmethod
    def _unary(answer: Callable[[Any, Caller], Awaitable[Message]]) -> _Answer:
        async def unary(request: Any, caller: Caller, exchange: Exchange, call: Call) -> None:
            body = await document_of(await answer(request, caller))
            call.answered()
            await exchange.answer(HTTPStatus.OK, JSON, body)

        return unary

    async def _watch(
        self, request: pb.WatchJobRequest, caller: Caller, exchange: Exchange, call: Call
    ) -> None:
        exchange.streams_events = True
        stream = WatchStream(exchange, call.answered, request)
        last = await self._service.watch_job(request, caller, stream)
        await stream.write(last)
        await exchange.finish()

    async def _read_result(
        self, request: pb.ReadResultRequest, caller: Caller, exchange: Exchange, call: Call
    ) -> None:
        await send_result(self._service, request, caller, exchange, call.answered)

    async def _run(
        self, asked: JobRequest[pb.RunJobRequest], caller: Caller, exchange: Exchange, call: Call
    ) -> None:
        if EVENT_STREAM in exchange.headers.get("accept", ""):
            exchange.streams_events = True
            stream = EventStream(exchange, call.answered)
            last = await self._service.run_job(asked, caller, stream)
            await stream.write(last)
            await exchange.finish()
            return
        preferred = _PREFERRED_WAIT.search(exchange.headers.get("prefer", ""))
        wait = min(float(preferred[1]), _MOST_WAIT) if preferred else _DEFAULT_WAIT
        told = _Told(exchange.peer_host)
        asked.message.brief = True
        with suppress(TimeoutError):
            async with asyncio.timeout(wait) as scope:
                # So that a job is accepted, or refused, before anything else, however short the wait.
                told.begin = lambda: scope.reschedule(asyncio.get_running_loop().time() + wait)
                scope.reschedule(None)
                await told.write(await self._service.run_job(asked, caller, told))
        answer = told.answer
        got = await self._service.get_job(pb.GetJobRequest(job_id=answer.job.job_id), caller)
        answer.job.CopyFrom(got.job)
        body = await document_of(answer)
        call.answered()
        headers = [("location", f"/v1/jobs/{answer.job.job_id}")]
        if preferred:
            headers.append(("preference-applied", f"wait={wait:g}"))
        status = HTTPStatus.OK if answer.HasField("event") else HTTPStatus.ACCEPTED
        await exchange.answer(status, JSON, body, headers)


class _Told:
    """Where RunJob writes its messages, of which one answer is made: the job, and how it ended."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.answer = pb.RunJobResponse()
        self.begin: Callable[[], None] = lambda: None

    async def write(self, data: bytes) -> None:
        message = pb.RunJobResponse.FromString(data)
        if message.HasField("job"):
            self.answer.CopyFrom(message)
            self.begin()
        elif message.event.HasField("status") and message.event.status.status in FINAL:
            self.answer.MergeFrom(message)
