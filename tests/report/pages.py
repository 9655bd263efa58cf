"""Small results to draw pages of."""

import base64
import io
import json

from PIL import Image

from vlcheck.results.file import ResultLines

RUN = {
    "kind": "run",
    "schema": 1,
    "name": "a-model",
    "model": "file.py:factory",
    "fingerprint": "f1f1",
    "data": "scenes:6",
    "started": "2026-01-02T03:04:05+00:00",
    "score_kinds": {"mlm": "masked-lm", "itm": "match-head"},
    "versions": {"python": "3.11.7", "vlcheck": "0.1.0"},
    "policy": {"path": "policy.toml"},
    "left_out": {"no color is named": 7},
    "complete": True,
    "unjudged": [],
    "explained": [
        {
            "name": "gradcam",
            "title": "Grad-CAM",
            "meaning": "What lights up <b>.",
            "trust": "It beats noise.",
            "count": 1,
        }
    ],
}
PRECISION = {
    "kind": "precision",
    "process": "main",
    "exact": "float32",
    "fast": "bfloat16",
    "alone": "",
    "queries": 100,
    "exact_alone": 10,
    "both": 5,
    "safety": 2.0,
    "differences": [{"metric": "itm", "n": 5, "log_odds": 0.1, "score": 0.01}],
}
SAME = {"kind": "identity", "process": "main", "name": "org/served", "noise": 0.001, "changed": ""}
FAULT = {"kind": "fault", "test": "t.py::test_x[mlm]", "behavior": "test_x", "metric": "mlm", "reason": "no memory"}
WORDS = {
    "kind": "words",
    "found": [
        {
            "about": "color",
            "probe": "cloze",
            "n": 2,
            "unspelled": 72,
            "accuracy": 0.5,
            "low": 0.01,
            "high": 0.99,
            "majority": 0.5,
            "chance": 0.1,
            "known": False,
        }
    ],
}
NOTHING = dict.fromkeys(("rate", "rate_low", "rate_high", "effect", "effect_low", "effect_high", "p", "violations"))


def image(key, color=(200, 30, 30), size=(128, 64), shown=(256, 128), **changes):
    """A picture's line; `shown` is the size of what was shown, of which the thumbnail has `size`."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    jpeg = base64.b64encode(file.getvalue()).decode()
    line = {"kind": "image", "key": key, "sha256": key, "jpeg": jpeg}
    return line | (dict(zip(("width", "height"), shown, strict=True)) if shown else {}) | changes


def row(case, margin, **changes):
    """An evidence line, of a word that is lost in grey."""
    line = {
        "kind": "evidence",
        "test": "",
        "metric": "mlm",
        "case": case,
        "perturbation": "grayscale v1",
        "image": "red",
        "perturbed": "grey",
        "texts": ["a photo of a [MASK]", "a grey photo of a [MASK]"],
        "targets": ["bus", "bus"],
        "before": 0.9,
        "after": 0.9 if margin is None else max(0.0, 0.8 + margin),
        "margin": margin,
        "values": None,
        "effect": -0.1,
        "reason": "" if margin is not None else "the model does not know the case",
        "scores": [{"bus": 0.9, "car": 0.05}, {"bus": 0.2, "car": 0.7}],
        "top_before": [["bus", 0.9], ["car", 0.05]],
        "top_after": [["car", 0.7], ["bus", 0.2]],
        "boxes": [[10.0, 20.0, 40.0, 30.0]],
        "perturbed_boxes": [[30.0, 20.0, 40.0, 30.0]],
        "wanted": ["bus is true", "bus is still true"],
    }
    return line | changes


def verdict(behavior="test_grey_preserves", metric="mlm", status="fail", **changes):
    """A verdict's line."""
    line = {
        "kind": "verdict",
        "test": f"behavior_tests/test_it.py::{behavior}[{metric}]",
        "doc": "A red bus is still a bus in grey.",
        "bias": "color",
        "bias_doc": "Does the model do without color?",
        "behavior": behavior,
        "metric": metric,
        "score_kind": {"mlm": "masked-lm", "itm": "match-head"}.get(metric, "another kind"),
        "perturbation": "grayscale v1",
        "expected": "the score stays",
        "tolerances": {"within": 0.1},
        "status": status,
        "claim": "rate",
        "reason": "4 of 6 violate (67 %, from 27.1 to 93.7 %); 10 % is allowed",
        "n": 6,
        "not_applicable": 1,
        "violations": 4,
        "rate": 2 / 3,
        "rate_low": 0.2713,
        "rate_high": 0.9372,
        "allowed": 0.1,
        "band": None,
        "alpha": 0.05,
        "p": 0.00127,
        "needed_n": None,
        "detectable": 0.5818,
        "effect": -0.25,
        "effect_low": -0.4,
        "effect_high": -0.1,
        "asked": 7,
        "offered": 7,
        "known": None,
        "tables": {},
    }
    return line | changes


def passing(behavior="test_grey_preserves", metric="itm", **changes):
    figures = {"violations": 0, "rate": 0.0, "rate_low": 0.0, "rate_high": 0.095, "p": 1.0}
    return verdict(behavior, metric, "pass", **figures | changes)


def mean(status="inconclusive", **changes):
    """A claim about a mean."""
    figures = {"effect": 0.12, "effect_low": -0.05, "effect_high": 0.31, "p": 0.4, "needed_n": 812, "detectable": 0.2}
    named = {"bias": "position", "claim": "mean", "band": [-0.15, 0.15], "allowed": None, "perturbation": ""}
    return verdict("test_right_is_no_favourite", "mlm", status, **NOTHING | named | figures | changes)


def contributions(status="pass", **changes):
    """A claim about the shares of the words and of the picture."""
    synergy = {"synergy": 0.91, "synergy_low": 0.8, "synergy_high": 0.95, "n": 20}
    shares = {"effect": 0.5, "effect_low": 0.0, "effect_high": 0.75, "band": [-0.6, 0.6]}
    told = {"test": "t.py::test_neither_modality_collapses[mm-shap]", "behavior": "test_neither_modality_collapses"}
    told |= {"bias": "modality", "metric": "mm-shap", "score_kind": "shapley-share", "tables": {"synergy": synergy}}
    return mean(status) | told | shares | changes


def contribution(case, share, error=0.02, synergy=0.984):
    """A row of T-SHAP, with its standard error and the synergy."""
    figures = [["standard error", error], ["synergy", synergy]]
    return bare(case, 2 * share - 1) | {"before": share, "scores": [{"dog": share}], "top_before": figures}


def invalid(behavior="test_mirror_swaps", **changes):
    told = {"bias": "position", "reason": "the model knows only 0 of 2 cases", "cause": "unknown"}
    told |= {"n": 0, "not_applicable": 2}
    return verdict(behavior, "itm", "invalid", **NOTHING | told | changes)


def unasked(behavior="test_sides_swap", metric="mlm", **changes):
    """A test of which the data has three images."""
    few = {"n": 3, "violations": 0, "rate": 0.0, "rate_low": 0.0, "rate_high": 0.63, "needed_n": 29, "p": 1.0}
    said = {"status": "not asked", "bias": "position", "reason": "3 images; a pass needs 29"}
    return verdict(behavior, metric, **few | said | changes)


MARGINS = {"one": -0.3, "two": -0.2, "three": 0.05, "four": -0.1, "five": 0.1, "six": -0.05, "seven": None}


def rows(margins=None, **changes):
    return [row(case, margin, **changes) for case, margin in (margins or MARGINS).items()]


def bare(case, value):
    """A row without an after."""
    return row(case, value, perturbation="", perturbed=None, texts=["a dog to the [MASK] of a cat"], after=None)


def explanation(side, **changes):
    """A line that explains the worst row of the first verdict: the right half speaks for the score."""
    where = {"test": verdict()["test"], "metric": "mlm", "case": "one", "perturbation": "grayscale v1", "rank": 1}
    cells = {"rows": 1, "columns": 2, "values": [-0.5, 1.0]}
    told = {"method": "gradcam", "word": "bus", "tokens": [["[CLS]", 0.0], ["photo", -0.2], ["[MASK]", 0.4]]}
    return {"kind": "explanation", "side": side, "error": 0.004, **where, **cells, **told, **changes}


def small(*more, run=None):
    """A run that fails on color, decides nothing of position; with what else is asked for."""
    pairs = [
        (verdict(), rows()),
        (passing(), rows(dict.fromkeys(("one", "two", "three"), 0.1))),
        (mean(), [bare("one", -0.4), bare("two", 0.64)]),
        (invalid(), rows({"one": None, "two": None})),
        *more,
    ]
    found = results(*pairs, run=run)
    found.add(json.dumps(explanation(side)) for side in ("before", "after"))
    return found


def of_a_control():
    """The same results as those of a control that others run, with what only these have."""
    found = small()
    found.add(map(json.dumps, (FAULT, SAME, PRECISION, WORDS)))
    return found


def results(*pairs, run=None, images=None):
    """The results of some verdicts with their evidence."""
    found = ResultLines()
    found.add(
        json.dumps(line)
        for line in [RUN | (run or {}), *(images or [image("red"), image("grey", (99, 99, 99), shown=None)])]
    )
    for verdict, evidence in pairs:
        lines = [one | {"test": verdict["test"], "metric": verdict["metric"]} for one in evidence]
        found.add(json.dumps(line) for line in [*lines, verdict])
    return found
