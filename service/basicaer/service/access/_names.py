"""Which names may stand for a caller: a principal owns jobs, is compared, stored, and told to people."""

from __future__ import annotations

__all__ = ["LONGEST_NAME", "is_name"]

# As OpenID Connect has it for `sub` (characters); a certificate's common name has at most 64.
LONGEST_NAME = 255


def is_name(name: object) -> bool:
    """Whether this is a text that a person can tell from another: visible characters, and not too many.

    So not an empty one or spaces, which would be everybody's, nor one with control characters, half of a
    surrogate pair or another direction of writing, nor one that begins or ends with a space.
    """
    return (
        isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and name == name.strip()
    )
