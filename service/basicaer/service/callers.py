"""Who calls: what every layer may know of it, however it was proved."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ANYONE", "Caller"]


class Caller(NamedTuple):
    """Somebody who is let in."""

    # Whose jobs are whose: "token:NAME", "jwt:SUBJECT" or "cert:COMMON NAME", so that one issuer's names
    # can't be mistaken for another's; "" where nobody is asked.
    principal: str
    # Whether everybody's jobs are this caller's to see, stop and delete.
    admin: bool
    # When what proves it expires, in seconds since the epoch; None for never.
    expires: float | None = None
    # The token that proves it, which may be revoked; "" when it is none of ours.
    token_id: str = ""

    def may_see(self, owner: str) -> bool:
        """Return whether a principal's jobs are visible to this caller."""
        return self.admin or owner == self.principal


# Where nobody is asked, everybody may do everything.
ANYONE = Caller("", admin=True)
