"""The page that a browser sees: its files, signing in, and what it asks for beside the contract.

    _page      which path is what, and the headers that keep others out
    _files     the built files, of `service/page`, and how they are sent
    _sessions  signing in and out
    _load      what an operator sees
    _drawings  a program as the pieces of a picture

`static/` is written by `make page`.
"""

from basicaer.service.doors.http.page._page import Page

__all__ = ["Page"]
