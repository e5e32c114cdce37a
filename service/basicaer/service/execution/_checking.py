"""A checker process, started by `Checkers`: what it does with a job's bytes.

It checks as the server itself does, texts included, which it parses itself: whatever they make of it, its
server lives.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.execution._acceptance import accept
from basicaer.service.execution._checkers import MOST_RESULT_BYTES, encode_refusal, takes_too_much_memory
from basicaer.service.execution.executor import ThreadExecutor
from basicaer.service.parsing import UNBOUNDED, ParsersHere, serve
from basicaer.service.wire import invalid_message, long_spec, read_in_pieces, read_spec
from basicaer.v1 import job_pb2
from google.protobuf.message import DecodeError

__all__ = ["main"]

# Where processors are short, who is served comes before who is checked.
_NICE = 2


def main(server: int, most_memory: int, settings: str) -> None:
    """Check jobs until standard input ends."""
    os.nice(_NICE)
    # It would look through a million objects again and again, none of which is a cycle's.
    gc.disable()
    told = json.loads(settings)
    most_result_bytes = told.pop(MOST_RESULT_BYTES)
    config = Config(data_dir=Path(), **told)
    executor = ThreadExecutor(config, ParsersHere())
    exhausted = takes_too_much_memory(most_memory, "MemoryError")
    gc.freeze()
    serve(server, most_memory, _load, partial(_answer, executor, config, most_result_bytes), exhausted)


def _load() -> None:
    """Load what reads specs. numba imports SciPy with the first kernel, which takes more memory than many a
    job may, and doesn't end where there is too little.
    """
    read_in_pieces(job_pb2.JobSpec, long_spec().SerializeToString())


def _answer(
    executor: ThreadExecutor, config: Config, most_result_bytes: int | None, sections: Sequence[memoryview]
) -> list[bytes]:
    (data,) = sections
    gc.collect()
    try:
        spec = read_spec(data)
        job, _ = accept(
            spec.message,
            lambda: executor.prepare(spec.message, UNBOUNDED, spec.columns, spec.size),
            max_memory_bytes=config.max_memory_bytes,
            max_metadata_bytes=config.max_metadata_bytes,
            most_result_bytes=most_result_bytes,
        )
    except DecodeError:
        return [b"answer", b"refused", encode_refusal(invalid_message(job_pb2.JobSpec.DESCRIPTOR))]
    except ServiceError as error:
        return [b"answer", b"refused", encode_refusal(error)]
    return [b"answer", b"job", job.SerializeToString()]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
