"""JWTs of one issuer, checked with its public keys from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from basicaer.service.access._files import Reloaded
from basicaer.service.access._names import is_name
from basicaer.service.access._refusals import permission_denied, unauthenticated
from basicaer.service.callers import Caller
from basicaer.service.config import Config
from basicaer.service.errors import CredentialsFileError, ServiceError

__all__ = ["JwtVerifier"]

_CAUSES: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.ImmatureSignatureError, "not_yet_valid"),
    (jwt.InvalidSignatureError, "signature"),
    (jwt.InvalidAlgorithmError, "algorithm"),
    (jwt.MissingRequiredClaimError, "missing_claim"),
)
_TIMES = ("exp", "nbf", "iat")
# The end of the year 9999; whatever is later was never meant as a time.
_LAST_SECOND = 253_402_300_799


class JwtVerifier:
    """Tells who bears a JWT."""

    def __init__(self, config: Config) -> None:
        """Read the keys.

        Raises:
            CredentialsFileError: There are none.
        """
        path = config.jwks_file
        assert path is not None
        self._config = config
        self._keys = Reloaded([path], lambda: _read_keys(path))

    def caller(self, text: str) -> Caller:
        """Return who bears a JWT.

        Raises:
            ServiceError: UNAUTHENTICATED: it isn't valid. PERMISSION_DENIED: its bearer has no role here.
        """
        config = self._config
        keys, _ = self._keys.get()
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                _key_of(text, keys),
                # Fixed by the server: what a token says of itself must not choose how it is checked.
                algorithms=list(config.jwt_algorithms),
                audience=config.jwt_audience,
                issuer=config.jwt_issuer,
                leeway=config.jwt_leeway,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except Exception as error:
            # Not PyJWT's own errors alone: it takes a token's word for what its claims and headers are, and
            # an `exp` without end or a list for a key's name end in whatever Python makes of them.
            cause = next((name for kind, name in _CAUSES if isinstance(error, kind)), "malformed")
            raise _not_valid(cause) from None
        expires = _checked_expiry(claims)
        roles = _roles(claims.get(config.jwt_roles_claim))
        admin = bool(config.jwt_admin_role) and config.jwt_admin_role in roles
        if config.jwt_user_role and config.jwt_user_role not in roles and not admin:
            raise permission_denied(
                "The JWT is valid, but its bearer may not use this service. Ask its operator for the role."
            )
        return Caller(f"jwt:{claims['sub']}", admin, expires + config.jwt_leeway)


def _key_of(text: str, keys: Mapping[str | None, jwt.PyJWK]) -> jwt.PyJWK:
    name = jwt.get_unverified_header(text).get("kid")
    if name is None and len(keys) == 1:
        return next(iter(keys.values()))
    if name not in keys:
        raise jwt.InvalidSignatureError("no such key")
    return keys[name]


def _not_valid(cause: str) -> ServiceError:
    return unauthenticated(
        cause, f"The JWT is not valid here ({cause.replace('_', ' ')}). Get a new one from its issuer."
    )


def _checked_expiry(claims: Mapping[str, Any]) -> float:
    """Return when a JWT expires, in seconds since the epoch.

    PyJWT takes whatever can be made a number of for a time, so ours to check is what RFC 7519 says: that a
    time is a number. Beyond it, that the time exists, and that the subject is a name.

    Raises:
        ServiceError: UNAUTHENTICATED: they are not.
    """
    for name in _TIMES:
        time = claims.get(name)
        if time is None and name not in claims:
            continue
        if isinstance(time, bool) or not isinstance(time, int | float) or not abs(time) <= _LAST_SECOND:
            raise _not_valid("malformed")
    if not is_name(claims["sub"]):
        raise _not_valid("subject")
    return float(claims["exp"])


def _roles(claim: object) -> frozenset[str]:
    """Return the roles of a claim, which is a list or a text with spaces between (as OAuth's scope is)."""
    names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(name for name in names if isinstance(name, str))


def _read_keys(path: Path) -> dict[str | None, jwt.PyJWK]:
    try:
        document = json.loads(path.read_bytes())
        found = jwt.PyJWKSet.from_dict(document).keys
        keys = {key.key_id: key for key in found if key.public_key_use in (None, "sig")}
    except OSError as error:
        raise CredentialsFileError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, AttributeError, TypeError, RecursionError, jwt.PyJWTError):
        raise CredentialsFileError(f"{path} is not a JWKS with keys that can be used.") from None
    if any(key.key_type == "oct" for key in found):
        raise CredentialsFileError(
            f"{path} holds a shared secret (kty 'oct'); a JWKS here has public keys alone."
        )
    return keys
