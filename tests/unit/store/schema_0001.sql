-- A store as version 0.1.0 made it, before there was Alembic.
-- A job: columns to find it by, then its state as serialized messages.
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    -- NULL when the caller gave none; it then never collides.
    request_id TEXT,
    request_hash BLOB NOT NULL,
    backend_name TEXT NOT NULL,
    -- Nanoseconds since the epoch, as all times here.
    create_time INTEGER NOT NULL,
    -- A number of basicaer.v1.JobStatus.
    status INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    -- Not NULL once CancelJob was called.
    cancel_reason TEXT,
    -- When a final job has something that can be removed.
    sweep_time INTEGER,
    -- The file in results/ with the result's parts, and the size of the serialized Result at its end.
    result_file TEXT,
    message_size INTEGER NOT NULL,
    -- basicaer.v1.Job, and its durable events, each with its length before it.
    job BLOB NOT NULL,
    events BLOB NOT NULL,
    -- basicaer.v1.JobSpec of a live job and basicaer.v1.Result of a final one, unless they lie in payloads.
    spec BLOB,
    result BLOB
) STRICT;

-- A request id makes one job.
CREATE UNIQUE INDEX jobs_by_request ON jobs (principal, request_id);
-- Recovery reads the live jobs, people look for failed ones.
CREATE INDEX jobs_by_status ON jobs (status, job_id);
CREATE INDEX jobs_by_sweep_time ON jobs (sweep_time) WHERE sweep_time IS NOT NULL;

-- What is too large for a job's row, which is written anew at each change of status.
CREATE TABLE payloads (
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('spec', 'result')),
    data BLOB NOT NULL,
    PRIMARY KEY (job_id, kind)
) STRICT;
-- A final job isn't run again.
CREATE TRIGGER payloads_of_final_jobs AFTER UPDATE OF status ON jobs
WHEN new.status IN (5, 6, 7) AND old.spec IS NULL
BEGIN
    DELETE FROM payloads WHERE job_id = new.job_id AND kind = 'spec';
END;

CREATE TABLE labels (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (key, value, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_job ON labels (job_id);
PRAGMA application_id = 0x42734165;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
