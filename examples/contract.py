"""Try the contract of `vlcheck models check` on a model, as a team's own tests may do."""

from vlcheck.datasets.registry import open_source
from vlcheck.models.contract import examine, probes_of
from vlcheck.models.loading.load import load_model

model = load_model("tiny")
outcomes = list(examine(model, probes_of(open_source("scenes:40").cases)))
for outcome in outcomes:
    print("kept  " if outcome.kept else "broken", outcome.clause, outcome.found, sep="  ")
assert all(outcome.kept for outcome in outcomes)
