"""Readers that read nothing: they don't use up the files that a server may open."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

import pytest
from basicaer.service.store.sqlite._open_files import OpenFiles
from basicaer.v1 import job_service_pb2 as pb
from basicaer.v1 import job_service_pb2_grpc

from tests.conftest import CHANNEL_OPTIONS, StartServer, open_channel
from tests.integration.conftest import Wire

# What the server may open, and how many readers stand still.
FILES, READERS = 256, 500
QUBITS = 17


def state_of(job_id: str) -> pb.ReadResultRequest:
    return pb.ReadResultRequest(job_id=job_id, part="0/statevector")


def test_stalled_readers_leave_files_for_others(start_server: StartServer, wire: Wire) -> None:
    server = start_server()
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    with server.stub() as stub:
        jobs = [wire.run(stub, wire.state(QUBITS))[0].job.job_id for _ in range(60)]
        whole = [chunk for chunk in stub.ReadResult(state_of(jobs[0])) if chunk.HasField("chunk")]
        with contextlib.ExitStack() as stack:
            readers = []
            options = [*CHANNEL_OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
            for number in range(READERS):
                if number % 100 == 0:
                    channel = stack.enter_context(open_channel(server.address, options=options))
                    other = job_service_pb2_grpc.JobServiceStub(channel)
                reader = other.ReadResult(state_of(jobs[number % len(jobs)]))
                assert next(reader).HasField("header")
                readers.append(reader)
            opened = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
            assert opened < FILES - 64
            assert wire.statuses(wire.run(stub, wire.bell()))[-1] == "DONE"
            assert wire.statuses(wire.run(stub, wire.state(QUBITS)))[-1] == "DONE"
            data = b"".join(message.chunk.data for message in readers[0])
            assert data == b"".join(message.chunk.data for message in whole)
            for reader in readers:
                reader.cancel()
    assert "Too many open files" not in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_the_least_lately_read_file_is_closed_and_opened_again(tmp_path: Path) -> None:
    files = OpenFiles(4)
    paths = [tmp_path / str(number) for number in range(20)]
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in paths:
        path.write_text(path.name)
        files.hold(path)
        with files.descriptor(path) as descriptor:
            assert descriptor >= 0
    assert len(list(Path("/proc/self/fd").iterdir())) - before == 4
    for path in paths:
        with files.descriptor(path) as descriptor, open(descriptor, closefd=False) as file:
            assert file.read() == path.name
    # One that is open can be read after it was removed, another can't.
    paths[-1].unlink()
    paths[0].unlink()
    with files.descriptor(paths[-1]) as descriptor:
        assert descriptor >= 0
    with pytest.raises(FileNotFoundError), files.descriptor(paths[0]):
        pass
    for path in paths:
        files.let_go(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
