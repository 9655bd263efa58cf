"""Check that a model keeps the contract of `vlcheck models check`, as a team's own tests may do."""

from vlcheck import check_model

outcomes = check_model("tiny", "scenes:40")
for outcome in outcomes:
    print("kept  " if outcome.kept else "broken", outcome.clause, outcome.found, sep="  ")
assert all(outcome.kept for outcome in outcomes)
