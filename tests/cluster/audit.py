"""Triggers by which the database itself notes whatever no server may ever write."""

from __future__ import annotations

from tests.postgresql import PostgreSQL

__all__ = ["findings", "install", "strays"]

_TRIGGERS = """
SET search_path = basicaer;
CREATE TABLE audit (seen timestamptz NOT NULL DEFAULT clock_timestamp(), what text NOT NULL);
CREATE TABLE graves (number bigint PRIMARY KEY);

CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writer text := current_setting('application_name');
    cancels boolean := OLD.cancel_reason IS NULL AND NEW.cancel_reason IS NOT NULL;
BEGIN
    IF NEW.fence < OLD.fence THEN
        INSERT INTO audit (what) VALUES ('a fence shrank');
    END IF;
    IF NEW.sequence < OLD.sequence THEN
        INSERT INTO audit (what) VALUES ('a sequence shrank');
    END IF;
    IF OLD.status IN (5, 6, 7) AND NEW.sequence <> OLD.sequence THEN
        INSERT INTO audit (what) VALUES ('an event after a final one');
    END IF;
    IF NEW.events <> OLD.events AND OLD.status NOT IN (5, 6, 7)
       AND substr(NEW.events, 1, length(OLD.events)) <> OLD.events THEN
        INSERT INTO audit (what) VALUES ('a written event was written anew');
    END IF;
    IF OLD.cancel_reason IS NOT NULL AND (NEW.cancel_reason IS NULL OR NEW.status IN (6, 7)) THEN
        INSERT INTO audit (what) VALUES ('an acknowledged cancel was overwritten');
    END IF;
    -- Whoever may, can stop a job. All else is its holder's to write.
    IF NEW.sequence <> OLD.sequence AND NOT cancels AND writer LIKE 'basicaer %' THEN
        IF OLD.owner IS NULL THEN
            INSERT INTO audit (what) VALUES ('a job that waits was written');
        ELSIF EXISTS (SELECT FROM servers WHERE number = OLD.owner AND 'basicaer ' || name <> writer) THEN
            INSERT INTO audit (what) VALUES ('a job was written by who does not have it');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_job BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION audit_job();

CREATE FUNCTION audit_server() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO graves VALUES (OLD.number) ON CONFLICT DO NOTHING;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' AND EXISTS (SELECT FROM graves WHERE number = NEW.number) THEN
        INSERT INTO audit (what) VALUES ('a lease that had ended came back');
    END IF;
    -- By when its transaction began: whatever it has compared is later.
    IF TG_OP = 'UPDATE' AND OLD.lease_until < now() THEN
        INSERT INTO audit (what) VALUES ('a lease that had ended was renewed');
    END IF;
    IF NEW.running_bytes > NEW.memory_bytes THEN
        INSERT INTO audit (what) VALUES ('more runs than fits the memory');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_server BEFORE INSERT OR UPDATE OR DELETE ON servers
    FOR EACH ROW EXECUTE FUNCTION audit_server();
"""
_STRAYS = """
SELECT count(*) FROM basicaer.chunks WHERE NOT EXISTS (
    SELECT FROM basicaer.jobs WHERE jobs.job_id = chunks.job_id
    AND jobs.result_file = chunks.job_id || convert_to('-' || chunks.attempt, 'UTF8')
)
"""


def install(database: PostgreSQL) -> None:
    """Begin to note."""
    database.run(_TRIGGERS)


def findings(database: PostgreSQL) -> list[str]:
    """Return what was noted, with how often."""
    rows = database.run("SELECT count(*), what FROM basicaer.audit GROUP BY what ORDER BY what")
    return [f"{what} ({count}×)" for count, _, what in (row.partition("|") for row in rows.splitlines())]


def strays(database: PostgreSQL) -> int:
    """Return how many chunks there are that are no job's."""
    return int(database.run(_STRAYS))
