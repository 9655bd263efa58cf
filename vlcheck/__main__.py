"""`python -m vlcheck`: what is typed as `vlcheck`."""

from vlcheck.cli import app

app(prog_name="vlcheck")
