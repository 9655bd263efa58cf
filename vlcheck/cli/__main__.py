"""`python -m vlcheck.cli`: the same as `vlcheck`."""

from vlcheck.cli import app

app(prog_name="vlcheck")
