"""What a move tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["MoveReport"]


@dataclass(slots=True)
class MoveReport:
    """What became of the jobs."""

    shown: str = ""
    moved: int = 0
    # Those that were there before: of an earlier try.
    there: int = 0
    # Jobs that stay where they are, and why.
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """How many jobs were looked at."""
        return self.moved + self.there + len(self.skipped)
