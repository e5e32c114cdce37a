-- Results that are too large for chunks, and lie in an object store; a row is there before its first object is,
-- and until its last one is gone. Its job names it by result_file, JOB_ID-ATTEMPT.OBJECT_ID.
CREATE TABLE objects (
    object_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bytea NOT NULL,
    attempt integer NOT NULL,
    -- Who has written it, as chunks have it; -1 for a migration.
    server bigint NOT NULL,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Each object but the last has so many bytes.
    part_bytes integer NOT NULL,
    -- Of all together, the CRC-32C of each mebibyte, little-endian, and a CRC-32C of the row; NULL until the last
    -- object is written.
    size bigint,
    sums bytea,
    sums_sum bigint,
    -- Once it is nobody's: since when its objects may be removed, and when they were.
    doom_time timestamptz,
    remove_time timestamptz
);
CREATE INDEX objects_by_job ON objects (job_id);
CREATE INDEX objects_by_server ON objects (server) WHERE doom_time IS NULL;
CREATE INDEX objects_doomed ON objects (doom_time) WHERE doom_time IS NOT NULL;

-- Below which services that share a bucket keep their objects apart.
ALTER TABLE store ADD COLUMN service_id text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '');
