"""The client's only contact with gRPC: channels and who calls, calls that are repeated, streams that resume.

`jobs` may call it; so may programs that call the contract themselves, by way of `basicaer.client.calls`.
"""
