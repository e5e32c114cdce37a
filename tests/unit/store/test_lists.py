"""Lists of jobs: whose they are, when they are due, and that no list reads all."""

from __future__ import annotations

import sqlite3
from typing import Any

from basicaer.service.store import JobFilter


def test_the_lists_use_an_index(open_store: Any, new_job: Any) -> None:
    """Whatever is asked for, no list sorts or reads all jobs before its first one."""
    from basicaer.service.store.sqlite import _sql

    its = open_store()
    connection = sqlite3.connect(its.directory / "jobs.sqlite3")
    filters = [
        JobFilter(),
        JobFilter(before_job_id="x", from_job_id="a"),
        JobFilter(statuses=(7,)),
        JobFilter(statuses=(2, 4, 6), before_job_id="x"),
        JobFilter(labels={"a": "b"}),
        JobFilter(labels={"a": "b", "c": "d"}, statuses=(6, 7), before_job_id="x"),
        JobFilter(principal="p"),
        JobFilter(principal="p", statuses=(7,), before_job_id="x"),
        JobFilter(principal="p", statuses=(2, 7), backend_name="b", create_time_from=1),
        JobFilter(principal="p", labels={"a": "b"}),
    ]
    statements = [_sql.list_jobs(each, 10) for each in filters]
    statements += [(_sql.LIVE_JOBS, []), (_sql.DUE_JOBS, [0, 10])]
    for statement, arguments in statements:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]
        text = "; ".join(plan)
        assert "USING INDEX" in text or "USING PRIMARY KEY" in text or "USING COVERING INDEX" in text, text
        if statement != _sql.LIVE_JOBS:
            assert "TEMP B-TREE" not in text, text
        if "principal = ?" in statement and "labels" not in statement:
            # Others' jobs cost nothing.
            assert "jobs_by_principal (principal=?" in text, text
    connection.close()
