"""Jobs before they run: programs that were checked, and what is known of their cost.

`programs` checks one, `cache` keeps it, `runs` reads what a job says of it, and `costs` and `need` tell what
it takes. For the executor alone.
"""
