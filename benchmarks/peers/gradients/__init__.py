"""Gradients beside PennyLane Lightning's adjoint differentiation: `python -m benchmarks.peers.gradients`."""
