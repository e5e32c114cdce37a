"""The cluster that tests of this folder share, each module its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.ray import RayCluster


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayCluster]:
    with RayCluster() as cluster:
        yield cluster
