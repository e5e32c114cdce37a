"""Ways into the service: what a call is and what one caller may hold open, however it came; and, a folder
each, what carries calls. Only `main` opens a door, and nothing below knows of any.
"""
