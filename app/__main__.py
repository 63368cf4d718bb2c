"""`python -m app` is `rampwright`."""

from app.cli import main

main()
