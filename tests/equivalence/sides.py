"""Answers of two models, written by hand."""

from vlcheck.equivalence.kept import FORM, Kept, write_kept
from vlcheck.equivalence.questions import ASKS
from vlcheck.equivalence.records import KeptAnswer, KeptCase, KeptHead, SideRecord

KINDS = {"itm": "match-head", "mlm": "masked-lm"}


def side(**changes):
    said = {
        "model": "a model",
        "spec": "tiny",
        "fingerprint": "f",
        "device": "cpu",
        "dtype": "float32",
        "batch_size": 16,
        "kinds": KINDS,
        "setup": {},
        "versions": {"torch": "2.14"},
    }
    return SideRecord(**{**said, **changes})


def head(**changes):
    said = {"parity": FORM, "asks": ASKS, "data": "scenes:3", "images": 3, "questions": "q", "side": side()}
    return KeptHead(**{**said, **changes})


def match(*scores, view="own", **why):
    """Answer whether a picture matches some texts, the first of which is true."""
    asked = tuple(f"text {number}" for number in range(2))
    return KeptAnswer(view=view, metric="itm", text="", asked=asked, scores=scores, **why)


def words(*scores, view="own", **why):
    asked = ("red", "blue", "green")[: len(scores) or None]
    return KeptAnswer(view=view, metric="mlm", text="a [MASK] ball", asked=asked, scores=scores, **why)


def case(name, *answers, probe=False):
    return KeptCase(case=name, probe=probe, answers=answers)


def written(path, cases, **changes):
    write_kept(path, head(**changes), cases)
    return Kept.open(path)
