-- Who may call, for all servers; as tokens.sqlite3 has it for one. Times are in seconds since the epoch, and NULL
-- when they have not come, or never will.
CREATE TABLE tokens (
    token_id text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'admin')),
    digest bytea NOT NULL,
    create_time double precision NOT NULL,
    expire_time double precision,
    revoke_time double precision,
    last_used double precision
);
