-- Jobs whose state is spread over several nodes: over how many, and how many a server may spread one over. What a job
-- needs is on all its nodes together, so that a server that knows nothing of nodes takes one up only if it can hold all.
ALTER TABLE jobs ADD COLUMN nodes integer NOT NULL DEFAULT 1;
ALTER TABLE servers ADD COLUMN max_nodes integer NOT NULL DEFAULT 1;
