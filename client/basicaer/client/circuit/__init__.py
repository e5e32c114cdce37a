"""Circuits as a program writes them: registers, gates, control flow, saves and inputs, checked at once.

`basicaer.client` exports what users call; `jobs` makes the rest of it into programs. Knows no server.
"""
