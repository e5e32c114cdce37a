"""Triggers by which the database itself notes whatever no server may ever write."""

from __future__ import annotations

from tests.postgresql import PostgreSQL

__all__ = ["findings", "install"]

_TRIGGERS = """
SET search_path = basicaer;
CREATE TABLE audit (seen timestamptz NOT NULL DEFAULT clock_timestamp(), what text NOT NULL);
CREATE TABLE graves (number bigint PRIMARY KEY);

CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF TG_OP = 'UPDATE' AND OLD.lease_until < clock_timestamp() - interval '0.2 s' THEN
        INSERT INTO audit (what) VALUES ('a lease that had ended was renewed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_server BEFORE INSERT OR UPDATE OR DELETE ON servers
    FOR EACH ROW EXECUTE FUNCTION audit_server();
"""


def install(database: PostgreSQL) -> None:
    """Begin to note."""
    database.run(_TRIGGERS)


def findings(database: PostgreSQL) -> list[str]:
    """Return what was noted, with how often."""
    rows = database.run("SELECT count(*), what FROM basicaer.audit GROUP BY what ORDER BY what")
    return [f"{what} ({count}×)" for count, _, what in (row.partition("|") for row in rows.splitlines())]
