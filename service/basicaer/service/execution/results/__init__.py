"""What simulations give as the contract's Result, within its limits.

`writer` makes a result's entries; `wire` frames what goes around protobuf. For the executor and `preparing`.
"""
