"""The tables of what explanations cost, made of measured seconds."""

import json

from benchmarks import explanation_pages

SECONDS = {
    "`tiny`": {"saliency": [[0.1, 0.2], [0.1, 0.4], [0.1, 0.3]], "ig": [[0.1, 16.0]]},
    "full-size ALBEF": {"saliency": [[0.5, 1.5]]},
}
FIGURES = {
    "machine": {"cores": 2},
    "pairs": {"`tiny`": 16, "full-size ALBEF": 1},
    "seconds": SECONDS,
    "errors": {"ig": [0.01 * number for number in range(1, 21)]},
}


def rows(text):
    return {line.split(" | ")[0].strip("| `"): line for line in text.splitlines() if line.startswith("| `")}


def test_a_method_has_its_times_of_a_forward_pass_and_the_error_of_its_sum():
    found = rows(explanation_pages.attribution(json.dumps(FIGURES)))
    assert found["saliency"] == "| `saliency` | 3.0 | 3.0 | no sum |  |"
    assert found["ig"].startswith("| `ig` | 160.0 | not measured | 10.50 % | 19.")
    assert found["cam"] == "| `cam` | does not apply |  |  |  |"


def test_the_maps_of_twenty_cases_are_forty():
    found = rows(explanation_pages.explanation_times(json.dumps(FIGURES)))
    assert found == {
        "saliency": "| `saliency` | 1 second | 1 minute |",  # 40 / 16 batches of 0.3 s, 40 of 1.5 s
        "ig": "| `ig` | 40 seconds | not measured |",
    }
