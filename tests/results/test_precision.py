"""The sentence about the number types of a verified run."""

from vlcheck.results.precision import precision_notes
from vlcheck.results.records import DifferenceRecord, PrecisionRecord

ITM = DifferenceRecord(metric="itm", n=61, log_odds=0.0556, score=0.0031)
MAIN = PrecisionRecord(
    process="gw0",
    exact="float32",
    fast="bfloat16",
    queries=2062,
    both=115,
    exact_alone=120,
    safety=2.0,
    differences=[ITM],
)


def test_other_runs_say_nothing_of_it():
    assert list(precision_notes([])) == []


def test_the_process_with_most_queries_speaks_for_all():
    idle = PrecisionRecord(process="gw1", exact="float32", fast="bfloat16")
    (said,) = precision_notes([idle, MAIN])
    assert said == (
        "Scores are of bfloat16, and of float32 wherever a verdict could differ: of 2,062 queries, 115 (5.6 %) were"
        " asked in both types and 120 in float32 alone. Both differ by at most 0.056 in log-odds, 0.0031 of a score"
        " (itm, 61 queries); 2 times as much was allowed for."
    )
    (nothing,) = precision_notes([idle])
    assert nothing.endswith("No difference between both was measured.")


def test_one_type_alone_is_said_with_the_reason():
    alone = PrecisionRecord(process="main", exact="float32", alone="this processor has no instructions for bfloat16")
    assert list(precision_notes([alone])) == [
        "All scores are of float32: this processor has no instructions for bfloat16."
    ]
