"""All amplitudes of a state, in memory: gates in `_engine` and `_wide`, else `_state` and `_observables`.

The functions that run circuits import `_method`, and what is no part of the interface. Below is the package
`engine`, which nobody else imports.
"""
