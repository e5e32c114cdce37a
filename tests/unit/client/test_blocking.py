"""The blocking client is what `make blocking` makes of the asyncio client, and a stale one is noticed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).parents[3] / "client" / "generate_blocking.py"


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_blocking", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(generator: ModuleType, monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    monkeypatch.setattr("sys.argv", ["generate_blocking.py", *flags])
    generator.main()


def test_the_waiting_goes_and_nothing_else(generator: ModuleType) -> None:
    source = (
        "async def status(self) -> AsyncBasicAerJob:\n"
        '    """Ask, and await nothing."""\n'
        "    async with self.line as line:\n"
        "        async for word in line:\n"
        "            return await self.told(word)\n"
    )
    assert generator.blocking(source) == (
        "def status(self) -> BasicAerJob:\n"
        '    """Ask, and await nothing."""\n'
        "    with self.line as line:\n"
        "        for word in line:\n"
        "            return self.told(word)\n"
    )


def test_nothing_is_stale(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run(generator, monkeypatch, "--check")


def test_what_is_stale_is_named_and_mended(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    twins = {}
    for source, twin in generator.MODULES.items():
        twins[source] = tmp_path / twin.name
        twins[source].write_text(twin.read_text())
    monkeypatch.setattr(generator, "MODULES", twins)
    run(generator, monkeypatch, "--check")
    stale = tmp_path / "_job.py"
    kept = stale.read_text()
    stale.write_text(kept.replace("deadline.expired", "deadline.over"))
    with pytest.raises(SystemExit, match=r"_job\.py stale: run 'make blocking'"):
        run(generator, monkeypatch, "--check")
    run(generator, monkeypatch)
    assert stale.read_text() == kept


def test_a_text_that_is_said_for_both_must_be_there(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "TEXTS", (*generator.TEXTS, ("is in no module", "nor here")))
    with pytest.raises(SystemExit, match="is in no module"):
        run(generator, monkeypatch, "--check")
