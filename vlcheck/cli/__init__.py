"""The command line, for what is not a test."""

from __future__ import annotations

import typer

from vlcheck.cli import card, compare, data, gate, init, look, models, policy, report, training, zoo
from vlcheck.cli.home import AtHome

app = typer.Typer(
    cls=AtHome, no_args_is_help=True, add_completion=False, help="Behavioural tests for vision-language models."
)
app.command()(init.init)
app.command()(data.cases)
app.command()(data.plan)
app.command()(compare.compare)
app.command()(gate.gate)
app.command()(look.look)
app.command()(card.card)
app.command()(report.report)
app.command()(training.train)
app.add_typer(models.app, name="models")
app.add_typer(policy.app, name="policy")
app.add_typer(zoo.app, name="zoo")
