-- The tables of the first version. Texts are bytea, UTF-8: PostgreSQL's own can't hold what callers may write
-- (NUL), and a text that is damaged must still be readable, so that its row alone is refused. They sort by
-- bytes then, and psql shows them as text after SET bytea_output = 'escape'.

-- A job: columns to find it by, then its state as serialized messages.
CREATE TABLE jobs (
    job_id bytea PRIMARY KEY,
    principal bytea NOT NULL,
    -- NULL when the caller gave none; it then never collides.
    request_id bytea,
    request_hash bytea NOT NULL,
    backend_name bytea NOT NULL,
    -- Nanoseconds since the epoch, as all times here.
    create_time bigint NOT NULL,
    -- A number of basicaer.v1.JobStatus.
    status integer NOT NULL,
    sequence bigint NOT NULL,
    attempt integer NOT NULL,
    crashes integer NOT NULL,
    -- Not NULL once CancelJob was called.
    cancel_reason bytea,
    -- When a final job has something that can be removed.
    sweep_time bigint,
    -- The name of the result's chunks, JOB_ID-ATTEMPT, and the size of the serialized Result at their end.
    result_file bytea,
    message_size bigint NOT NULL,
    -- basicaer.v1.Job, and its durable events, each with its length before it.
    job bytea NOT NULL,
    events bytea NOT NULL,
    -- basicaer.v1.JobSpec of a live job and basicaer.v1.Result of a final one, unless that lies in chunks.
    spec bytea,
    result bytea,
    -- The bytes in chunks, 0 without any; NULL when there is no result (any more).
    file_bytes bigint,
    -- CRC-32C of the row's parts. NULL for a spec that isn't there any more.
    origin_sum bigint,
    state_sum bigint,
    spec_sum bigint,
    result_sum bigint
) WITH (fillfactor = 70);
-- They are not worth an attempt to compress them.
ALTER TABLE jobs ALTER COLUMN spec SET STORAGE EXTERNAL;
ALTER TABLE jobs ALTER COLUMN result SET STORAGE EXTERNAL;

-- A request id makes one job.
CREATE UNIQUE INDEX jobs_by_request ON jobs (principal, request_id);
-- Recovery reads the live jobs, people look for failed ones.
CREATE INDEX jobs_by_status ON jobs (status, job_id);
CREATE INDEX jobs_by_sweep_time ON jobs (sweep_time) WHERE sweep_time IS NOT NULL;
-- Each principal lists its own jobs.
CREATE INDEX jobs_by_principal ON jobs (principal, job_id);
-- When the store is too large, the oldest large results go.
CREATE INDEX jobs_with_chunks ON jobs (job_id) WHERE file_bytes > 0;

-- Large results, in pieces of a mebibyte, each with its CRC-32C.
CREATE TABLE chunks (
    job_id bytea NOT NULL,
    attempt integer NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL,
    data_sum bigint NOT NULL,
    PRIMARY KEY (job_id, attempt, number)
);
ALTER TABLE chunks ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE labels (
    key bytea NOT NULL,
    value bytea NOT NULL,
    job_id bytea NOT NULL,
    PRIMARY KEY (key, value, job_id)
);
CREATE INDEX labels_by_job ON labels (job_id);
