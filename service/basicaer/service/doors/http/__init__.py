"""The door by HTTP: the contract's paths over the service, protobuf's JSON form, errors as problems.

    _contract   the rules and the OpenAPI document, which `make contract` writes into this folder
    _exchange   a request and its response
    _inputs     a request's path, query, headers and body as the contract's message
    _documents  messages as JSON
    _events     messages as server-sent events
    _results    parts of results as bytes
    _problems   errors as problems
    _guard      which hosts and origins are let in
    _calls      the contract's methods as operations
    _who        who calls: a token's bearer, or who signed in by the page
    _protocol   connections, and how long they may wait
    _server     the routes, and its end
    page/       what a browser sees

`doors.web` has the port, and imports this when somebody comes: uvicorn and Starlette take a while.
"""

from basicaer.service.doors.http._server import HttpServer

__all__ = ["HttpServer"]
