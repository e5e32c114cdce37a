-- Servers of two versions on these tables, while they are upgraded.

-- The first revision whose servers may use the tables. A migration that earlier servers don't get along with sets it to
-- its own name; one that they don't notice, such as a new column with a default or a new table, leaves it.
ALTER TABLE store ADD COLUMN compatible_since text NOT NULL DEFAULT '0004_objects';
-- Up to which revision a server knows them; one that doesn't say is from before.
ALTER TABLE servers ADD COLUMN revision text NOT NULL DEFAULT '0004_objects';
