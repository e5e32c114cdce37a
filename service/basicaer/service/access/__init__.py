"""Who is let in, and how the line to them is kept secret: tokens, JWTs, client certificates, TLS."""

from basicaer.service.access._callers import Callers
from basicaer.service.access._files import Reloaded
from basicaer.service.access._shared_tokens import migrate_tokens, open_tokens
from basicaer.service.access._tls import server_context, server_credentials
from basicaer.service.access._tokens import Token, TokenStore

__all__ = [
    "Callers",
    "Reloaded",
    "Token",
    "TokenStore",
    "migrate_tokens",
    "open_tokens",
    "server_context",
    "server_credentials",
]
