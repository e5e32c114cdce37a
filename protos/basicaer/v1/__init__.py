"""The contract: generated messages and stubs of `basicaer.v1`. Regenerate them with `make protos`."""
