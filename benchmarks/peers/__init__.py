"""The engine beside the simulators that people could install instead: one machine, one interleaved run."""
