-- Where a worker that drives a cluster runs its jobs: a serialized basicaer.v1.Member that has these machines and
-- nothing else.
ALTER TABLE servers ADD COLUMN nodes bytea NOT NULL DEFAULT '';
