"""Who is let in, and how the line to them is kept secret: tokens, JWTs, client certificates, TLS."""

from basicaer.service.access._callers import Callers
from basicaer.service.access._tls import server_credentials
from basicaer.service.access._tokens import Token, TokenStore

__all__ = ["Callers", "Token", "TokenStore", "server_credentials"]
