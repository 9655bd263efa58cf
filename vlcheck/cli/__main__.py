"""`python -m vlcheck.cli`."""

from vlcheck.cli import app

app()
