"""What is wrong with a deployment, and how to mend it: checks that read, and change nothing.

Each check returns findings; it never raises for what it looks at. They look at this machine with the settings
of a server, as the user whom the server runs as. What a running server says is the command line's to ask.
"""

from __future__ import annotations

from collections.abc import Iterator

from basicaer.service.config import Config
from basicaer.service.doctor import _access, _database, _machine, _ray, _store
from basicaer.service.doctor._cluster import Part, cluster
from basicaer.service.doctor._database import SKEW
from basicaer.service.doctor._finding import Finding, Verdict

__all__ = ["SKEW", "Finding", "Part", "Verdict", "cluster", "examine"]


def examine(config: Config, progress: _store.Progress = lambda done, total: None) -> Iterator[Finding]:
    """Yield what there is to say of this machine and these settings, each as soon as it is known. `progress`
    is told how many jobs of how many were looked at.
    """
    yield _machine.data_directory(config)
    if config.database:
        yield from _database.database(config, progress)
    else:
        yield _machine.free_space(config)
        yield _store.store(config, progress)
    if config.executor:
        yield from _ray.ray(config)
    yield _machine.memory(config)
    yield _machine.descriptors()
    yield _machine.huge_pages()
    yield _machine.clock(config)
    yield _access.reach(config)
    yield from _access.tls(config)
    yield from _access.proofs(config)
    yield _machine.kernels()
