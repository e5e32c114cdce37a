"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Verdict"]


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    # It works, but not as well or as safely as it could.
    WARNING = "warning"
    # It doesn't work, or won't for long.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome: of what, how bad, what was seen, and what to do; when it is ok, that is empty."""

    check: str
    verdict: Verdict
    seen: str
    remedy: str = ""

    @classmethod
    def ok(cls, check: str, seen: str) -> Finding:
        """Return that all is well."""
        return cls(check, Verdict.OK, seen)

    @classmethod
    def warning(cls, check: str, seen: str, remedy: str) -> Finding:
        """Return what could be better."""
        return cls(check, Verdict.WARNING, seen, remedy)

    @classmethod
    def failed(cls, check: str, seen: str, remedy: str) -> Finding:
        """Return what must be mended."""
        return cls(check, Verdict.FAILED, seen, remedy)
