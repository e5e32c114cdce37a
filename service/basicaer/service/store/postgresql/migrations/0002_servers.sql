-- Several servers over one database.

-- Those that have a lease. Their numbers are store.epoch's, so none comes again. One whose lease has ended is
-- removed by whoever sees it first, and can't come back but under another number.
CREATE TABLE servers (
    number bigint PRIMARY KEY,
    -- HOST:PID, "serve" or "work", where it is called, and which version it is.
    name text NOT NULL,
    role text NOT NULL,
    address text NOT NULL,
    version text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    -- What it can run at once, and what it runs.
    workers integer NOT NULL,
    memory_bytes bigint NOT NULL,
    running integer NOT NULL DEFAULT 0,
    running_bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Who runs a job: the number of a server. Each time that this changes hands, the fence grows; whoever has it
-- writes under its fence alone.
ALTER TABLE jobs ADD COLUMN owner bigint;
ALTER TABLE jobs ADD COLUMN fence bigint NOT NULL DEFAULT 0;
-- A live job's place between those of other callers; NULL for a final one.
ALTER TABLE jobs ADD COLUMN turn bigint;
ALTER TABLE jobs ADD COLUMN required_bytes bigint NOT NULL DEFAULT 0;
UPDATE jobs SET turn = 0 WHERE status IN (1, 2, 3, 4);
-- What an exclusive server was at goes to those that look for jobs whose server is gone.
UPDATE jobs SET owner = 0 WHERE status IN (3, 4);

CREATE INDEX jobs_waiting ON jobs (turn, job_id) INCLUDE (required_bytes)
    WHERE turn IS NOT NULL AND owner IS NULL;
CREATE INDEX jobs_waiting_of ON jobs (principal, turn) WHERE turn IS NOT NULL AND owner IS NULL;
CREATE INDEX jobs_owned ON jobs (owner) WHERE owner IS NOT NULL;

-- Whose server has written a chunk, so that what nobody will commit can be told from what somebody is about to.
ALTER TABLE chunks ADD COLUMN server bigint NOT NULL DEFAULT 0;
CREATE INDEX chunks_by_server ON chunks (server);
