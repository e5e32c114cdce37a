"""What doctor says of Ray here, of a token, and of a cluster."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from basicaer.service import version
from basicaer.service.config import Config
from basicaer.service.doctor import Verdict, _ray
from basicaer.service.execution.ray.actor import Node
from basicaer.service.execution.ray.examination import Examination, NodeReport, Reached

URL = "ray://head:6379"
GIB = 1 << 30


def said(found: Examination) -> list[tuple[str, Verdict, str, str]]:
    findings = list(_ray.nodes(URL, found))
    assert all(bool(one.remedy) == (one.verdict is not Verdict.OK) for one in findings)
    return [(one.check, one.verdict, one.seen, one.remedy) for one in findings]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    """Of a worker with a token."""
    secret = tmp_path / "token"
    secret.touch(0o600)
    secret.write_text("secret")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(secret))
    # Nobody listens on a port that is reserved.
    return Config(data_dir=tmp_path, executor="ray://127.0.0.1:0")


@pytest.mark.parametrize(
    ("reached", "seen", "remedy"),
    [
        (Reached.NOBODY, "nobody answers (why)", "ray start --head --port 6379"),
        (Reached.REFUSED, "the head refuses (why)", "RAY_AUTH_TOKEN_PATH"),
        (Reached.NO_NODE, "can't be joined (why)", "ray start --address head:6379"),
        (Reached.INSIDE, "no node has memory", "ray start --memory"),
    ],
)
def test_a_cluster_that_one_does_not_get_into(reached: Reached, seen: str, remedy: str) -> None:
    ((check, verdict, its, mend),) = said(Examination(reached, "why"))
    assert (check, verdict) == ("Ray", Verdict.FAILED)
    assert seen in its
    assert remedy in mend


def test_nodes_that_fit() -> None:
    node = Node(version(), True)
    reports = [NodeReport("a", GIB, node), NodeReport("b", 3 * GIB, node)]
    cluster, nodes = said(Examination(Reached.INSIDE, nodes=reports))
    assert cluster == ("Ray", Verdict.OK, f"{URL}: 2 nodes with 4 GiB, at most 3 GiB", "")
    assert nodes[1] is Verdict.OK


def test_nodes_that_do_not() -> None:
    reports = [
        NodeReport("a", GIB // 4, None, "no module"),
        NodeReport("b", GIB // 4, Node("0.0.1", True)),
        NodeReport("c", GIB // 4, Node(version(), False)),
    ]
    cluster, *nodes = said(Examination(Reached.INSIDE, nodes=reports))
    assert cluster[1] is Verdict.FAILED
    assert "a process needs 512 MiB" in cluster[2]
    texts = [
        ("a starts no process, or can't load basicaer: no module", "Install basicaer"),
        ("b has basicaer 0.0.1", "pip install"),
        ("c was started without a token", "RAY_AUTH_MODE=token"),
    ]
    for (check, verdict, seen, remedy), (what, mend) in zip(nodes, texts, strict=True):
        assert (check, verdict) == ("Ray nodes", Verdict.FAILED)
        assert seen.startswith(what)
        assert mend in remedy


def test_all_that_is_needed_before_a_cluster_is_asked(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_, token, cluster = _ray.ray(config)
    assert (version_.check, version_.verdict) == ("Ray version", Verdict.OK)
    assert (token.check, token.verdict) == ("Ray token", Verdict.OK)
    assert cluster.verdict is Verdict.FAILED
    assert "nobody answers" in cluster.seen
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.59.1")
    (old,) = _ray.ray(config)
    assert (old.verdict, old.seen) == (Verdict.FAILED, "2.59.1; 2.60 or newer is needed")
    assert "basicaer[ray]" in old.remedy


@pytest.mark.parametrize("what", ["no mode", "no file", "empty", "public"])
def test_a_token_that_is_not_one(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    secret = tmp_path / "token"
    if what == "no mode":
        monkeypatch.delenv("RAY_AUTH_MODE")
    elif what == "no file":
        secret.unlink()
    elif what == "empty":
        secret.write_text("\n")
    else:
        secret.chmod(0o644)
    _, token = _ray.ray(config)
    assert (token.check, token.verdict) == ("Ray token", Verdict.FAILED)
    assert token.remedy
    assert what != "public" or token.remedy == f"chmod 600 {secret}"


def test_a_token_in_the_environment(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    _, token, _ = _ray.ray(config)
    assert token.verdict is Verdict.OK
    assert "secret" not in token.seen
