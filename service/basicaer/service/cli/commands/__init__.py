"""The commands of `basicaer`, a module for each subject; what they share is in `cli` itself.

`cli` gathers them into the one command; nobody else calls them.
"""
