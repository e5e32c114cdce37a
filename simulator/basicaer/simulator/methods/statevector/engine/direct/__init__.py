"""Small circuits gate by gate, without a plan.

`_quick`, beside the engine, may import `_direct`.
"""
