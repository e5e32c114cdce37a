"""The database's machine is gone, and a synchronous standby takes its place: nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import grpc
from basicaer.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

from tests.cluster.processes import parts
from tests.conftest import open_channel
from tests.integration.conftest import Wire
from tests.postgresql import PostgreSQL, running

LEASE = 3.0
LIMIT = 120.0


def follow(primary: PostgreSQL, standby: PostgreSQL) -> None:
    """Let the primary acknowledge nothing that its standby hasn't on its disk."""
    primary.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.run("SELECT pg_reload_conf()")
    until = time.monotonic() + LIMIT
    while primary.run("SELECT sync_state FROM pg_stat_replication") != "sync":
        assert time.monotonic() < until, standby.log.read_text()
        time.sleep(0.05)


def test_a_failover_loses_nothing_that_was_acknowledged(new_postgresql: PostgreSQL, tmp_path: Path) -> None:
    primary = new_postgresql
    with contextlib.ExitStack() as stack:
        standby = stack.enter_context(running(primary))
        follow(primary, standby)
        url = (
            f"postgresql://basicaer@/postgres?host={primary.folder},{standby.folder}"
            "&target_session_attrs=primary"
        )
        servers, workers = parts(tmp_path, lambda _: url, 1, 1, ("--lease-time", f"{LEASE:g}"))
        for part in (*servers, *workers):
            part.begin()
            stack.callback(part.kill)
        for part in (*servers, *workers):
            part.ready()
        channel = stack.enter_context(open_channel(servers[0].address))
        stub = job_service_pb2_grpc.JobServiceStub(channel)

        def submit(spec: job_pb2.JobSpec, request_id: str) -> str:
            request = job_service_pb2.SubmitJobRequest(spec=spec, request_id=request_id)
            return stub.SubmitJob(request, timeout=LIMIT).job.job_id

        before = {submit(Wire.bell(), f"before {number}") for number in range(10)}
        endless = submit(Wire.endless(), "endless")
        seen: list[job_pb2.Event] = []
        runs = threading.Event()

        def watch() -> None:
            request = job_service_pb2.WatchJobRequest(job_id=endless, after_sequence=0)
            for message in stub.WatchJob(request, timeout=LIMIT):
                if message.event.WhichOneof("kind") == "status":
                    seen.append(message.event)
                    if message.event.status.status == job_pb2.JOB_STATUS_RUNNING:
                        runs.set()

        watching = threading.Thread(target=watch)
        watching.start()
        assert runs.wait(LIMIT)
        acknowledged = set(primary.run("SELECT convert_from(job_id, 'UTF8') FROM basicaer.jobs").split())

        # It answers no more, nor does it come back; its standby doesn't know yet that it is alone.
        primary.stop()
        refused = []
        meanwhile = ""
        until = time.monotonic() + LIMIT
        while not meanwhile:
            assert time.monotonic() < until
            try:
                meanwhile = submit(Wire.bell(), "meanwhile")
            except grpc.RpcError as error:
                refused.append(error.code())
                if len(refused) == 1:
                    standby.run("SELECT pg_promote()")
        assert set(refused) == {grpc.StatusCode.UNAVAILABLE}

        kept = set(standby.run("SELECT convert_from(job_id, 'UTF8') FROM basicaer.jobs").split())
        assert acknowledged | {meanwhile} <= kept
        assert before | {endless} <= acknowledged
        assert submit(Wire.bell(), "before 3") in before
        for job_id in (*before, meanwhile):
            request = job_service_pb2.GetJobRequest(job_id=job_id)
            assert stub.GetJob(request, timeout=LIMIT).job.status == job_pb2.JOB_STATUS_DONE
            assert list(stub.ReadResult(job_service_pb2.ReadResultRequest(job_id=job_id), timeout=LIMIT))
        cancel = job_service_pb2.CancelJobRequest(job_id=endless, reason="enough")
        assert stub.CancelJob(cancel, timeout=LIMIT).job.cancel_requested
        watching.join(LIMIT)
        # The same stream, from the first event to the last, without a gap.
        assert seen[-1].status.status == job_pb2.JOB_STATUS_CANCELLED
        assert [event.sequence for event in seen] == sorted({event.sequence for event in seen})
