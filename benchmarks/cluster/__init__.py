"""The parts of `make bench-cluster`: servers on one PostgreSQL, which has to be there."""
