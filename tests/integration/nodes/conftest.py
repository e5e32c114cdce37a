"""The cluster that tests of this folder share: each leaves it with as many nodes as it found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.ray import RayCluster


@pytest.fixture(scope="session")
def nodes() -> Iterator[RayCluster]:
    with RayCluster() as cluster:
        yield cluster
