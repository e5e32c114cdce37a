"""Traces as a collector of OpenTelemetry's protocol receives them, from a client's program to its job."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from basicaer.v1 import job_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.conftest import CHANNEL_OPTIONS, StartServer
from tests.integration.conftest import Wire

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"

PROGRAM = """
import asyncio, sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from basicaer.client import AsyncBasicAerProvider, BasicAerProvider, Circuit

server, collector = sys.argv[1:]
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=collector, insecure=True)))
trace.set_tracer_provider(provider)
bell = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])

async def main():
    async with AsyncBasicAerProvider(server) as basicaer:
        backend = await basicaer.get_backend("qasm_simulator")
        await (await backend.run(bell)).result()

with trace.get_tracer("program").start_as_current_span("program"):
    with BasicAerProvider(server) as basicaer:
        basicaer.get_backend("qasm_simulator").run(bell).result()
    asyncio.run(main())
provider.shutdown()
"""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that it gets; `resource` has the last sender's attributes."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resource: dict[str, str] = {}
        self.url = ""

    def Export(  # noqa: N802 - the protocol's name
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for sent in request.resource_spans:
            self.resource = {pair.key: pair.value.string_value for pair in sent.resource.attributes}
            for scope in sent.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def named(self, name: str) -> list[Span]:
        """All spans of a name."""
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    servicer = Collector()
    server = grpc.server(ThreadPoolExecutor(2), options=CHANNEL_OPTIONS)
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server  # which has no types
    add(servicer, server)
    servicer.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None).wait()


def test_a_jobs_spans_belong_to_its_call(start_server: StartServer, wire: Wire, collector: Collector) -> None:
    server = start_server("--trace-endpoint", collector.url)
    with server.stub() as stub:
        traceparent = (("traceparent", f"00-{TRACE_ID}-{PARENT_ID}-01"),)
        (job, *_) = stub.RunJob(pb.RunJobRequest(spec=wire.bell()), metadata=traceparent)
        with wire.fails():
            stub.GetJob(pb.GetJobRequest(job_id="none"), metadata=traceparent)
    assert server.stop() == 0
    assert collector.resource["service.name"] == "basicaer"
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE_ID}
    (call,) = collector.named("basicaer.v1.JobService/RunJob")
    assert call.parent_span_id.hex() == PARENT_ID
    assert call.kind == Span.SPAN_KIND_SERVER
    parts = [span for span in collector.spans if span.parent_span_id == call.span_id]
    assert {span.name for span in parts} == {"submit", "queue wait", "simulation", "commit"}
    for span in parts:
        attributes = {pair.key: pair.value for pair in span.attributes}
        assert attributes["job_id"].string_value == job.job.job_id
        assert call.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    (missing,) = collector.named("basicaer.v1.JobService/GetJob")
    told = {pair.key: pair.value.string_value for pair in missing.attributes}
    assert told["rpc.grpc.status"] == "NOT_FOUND"
    # The caller's mistake is none of the server's.
    assert missing.status.code == Status.STATUS_CODE_UNSET


def test_a_clients_program_is_at_the_root(start_server: StartServer, collector: Collector) -> None:
    server = start_server("--trace-endpoint", collector.url)
    command = [sys.executable, "-c", PROGRAM, server.address, collector.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert server.stop() == 0
    (root,) = collector.named("program")
    submissions = collector.named("basicaer submit")
    assert len(submissions) == 2
    assert {span.parent_span_id for span in submissions} == {root.span_id}
    by_id = {span.span_id: span for span in collector.spans}
    simulations = collector.named("simulation")
    assert len(simulations) == 2
    for span in simulations:
        path = []
        while span.parent_span_id:
            span = by_id[span.parent_span_id]
            path.append(span.name)
        assert path in (
            ["basicaer.v1.JobService/RunJob", "basicaer submit", "program"],
            ["basicaer.v1.JobService/SubmitJob", "basicaer submit", "program"],
        )


def test_without_a_collector_jobs_run(start_server: StartServer, wire: Wire) -> None:
    server = start_server("--trace-endpoint", "http://127.0.0.1:9")
    with server.stub() as stub:
        messages = wire.run(stub, wire.bell())
    assert wire.statuses(messages)[-1] == "DONE"
    assert server.stop() == 0


@pytest.mark.parametrize("module", ["basicaer.service.main", "basicaer.client"])
def test_nothing_is_imported_unless_it_is_wanted(module: str) -> None:
    program = f"import {module}, sys; assert not any('opentelemetry' in name for name in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
