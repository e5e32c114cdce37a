"""What breaks servers on purpose breaks them as it says."""

from __future__ import annotations

import sqlite3
from random import Random

import pytest

from tests.chaos.bits import damage_row


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_never_makes_two_rows_of_one_key(seed: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE jobs (job_id TEXT, request_id TEXT NOT NULL UNIQUE)")
    connection.execute("CREATE TABLE payloads (job_id TEXT, kind TEXT)")
    # Half of the bits of "a" lead to one that is there.
    keys = [chr(ord("a") ^ 1 << bit) for bit in range(4)]
    connection.executemany("INSERT INTO jobs VALUES ('1', ?)", [("a",), *((key,) for key in keys)])
    assert damage_row(connection, "1", Random(seed))
    rows = connection.execute("SELECT job_id, request_id FROM jobs").fetchall()
    assert len(set(rows)) == 5
    assert (b"1", b"a") not in rows
    assert not damage_row(connection, "2", Random(seed))
