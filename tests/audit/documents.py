"""Small audits to draw pages of."""

from dataclasses import replace

from tests.report.pages import invalid, mean, passing, results, rows, unasked, verdict
from vlcheck.audit.document import document_of
from vlcheck.audit.records import AuditFinding, AuditPart, AuditReport
from vlcheck.audit.verdicts import run_beside

SIDES = AuditFinding(
    check="sides-named",
    bias="position",
    cause="sides-unnamed",
    status="found",
    n=25_014,
    count=75,
    share=75 / 25_014,
    low=0.0024,
    high=0.0038,
    limit=0.01,
    says="Captions name a side in 0.3 %, and the recipe mirrors pictures.",
    examples=("a dog to the left of a cat", "a man in the right half"),
    parts=(
        AuditPart(name="right", n=75, count=42, low=0.44, high=0.67, base=0.5),
        AuditPart(name="left", n=75, count=33),
    ),
)
COLORS = AuditFinding(
    check="bound-colors",
    bias="color",
    unit="nouns",
    status="not found",
    n=800,
    count=80,
    share=0.1,
    low=0.08,
    high=0.123,
    limit=0.5,
    says="10 % of nouns have a color of their own.",
)
FEW = AuditFinding(
    check="order-pairs",
    bias="order",
    status="inconclusive",
    n=3,
    share=0.0,
    low=0.0,
    high=0.71,
    limit=0.01,
    says="0 of 3 sets of words occur in captions of different order.",
)
PICTURES = AuditFinding(check="blank-pictures", bias="modality", says="No pictures were given (--images).", limit=0.01)
TWICE = AuditFinding(
    check="near-duplicates",
    status="",
    n=25_014,
    count=12,
    share=0.0005,
    low=0.0002,
    high=0.0008,
    says="12 captions occur twice.",
)


def report(*findings, **changes):
    told = {"corpus": "captions.json", "captions": 25_014, "pictures": 5_000, "augment": ("flip",), "seconds": 2.0}
    return AuditReport(**told | changes, findings=findings or (SIDES, COLORS, PICTURES, TWICE))


def document(*findings, runs=(), unfinished=(), **changes):
    """An audit; each of the runs is a pair of a file's name and its results."""
    audited = report(*findings, **changes)
    beside = [run_beside(audited, found, name) for name, found in runs]
    return document_of(audited, version="0.1.0", runs=beside, unfinished=unfinished)


def fails_position(**run):
    """A run that fails position, passes color, and decides nothing of robustness."""
    figures = {"bias": "position", "bias_doc": "Does it tell left from right?"}
    return results(
        (verdict("test_mirror_swaps_sides", **figures), rows()),
        (passing("test_sides", bias="position"), []),
        (passing(), []),
        (unasked(bias="robustness"), rows({"one": 0.1})),
        run=run,
    )


def of_status(status, bias="position"):
    """A run with one verdict of a status."""
    made = {"fail": verdict, "pass": passing, "invalid": invalid, "inconclusive": mean, "not asked": unasked}[status]
    return results((made(bias=bias), []))


def without_verdict(bias="position"):
    """A run that was stopped before its one test had a verdict."""
    test = f"behavior_tests/test_{bias}.py::test_it[mlm]"
    found = results(run={"unjudged": [test], "stated": {test: {"bias": bias, "metric": "mlm"}}})
    return replace(found)
