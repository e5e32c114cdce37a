"""Writes what the HTTP door is made of, from the contract and its paths. `make contract` alone calls it.

`_contract` knows messages and their comments, `_shapes` how JSON and HTTP show what isn't the contract's own,
and `_document` the OpenAPI document.
"""
