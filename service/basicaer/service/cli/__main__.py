"""`python -m basicaer.service.cli`: the command where its script is not on the path."""

from basicaer.service.cli import main

main()
