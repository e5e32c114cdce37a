"""What is wrong with a write is that write's alone, whatever it is."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from basicaer.service.errors import StoreBusyError


@pytest.mark.parametrize("error", [MemoryError(), sqlite3.InterfaceError("no code"), RuntimeError("any")])
def test_any_exception_is_one_writes(
    open_store: Any, new_job: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    its = open_store()
    statements = its.store._writer._statements
    write_one = statements._write

    def fail(write: Any) -> None:
        if write.job_id == "job00002":
            raise error
        write_one(write)

    monkeypatch.setattr(statements, "_write", fail)
    monkeypatch.setattr(statements, "together", lambda group: False)
    writes = its.write(*(new_job(number) for number in range(1, 5)))
    assert [write.error is None for write in writes] == [True, False, True, True]
    assert isinstance(writes[1].error, StoreBusyError) == isinstance(error, MemoryError)
