"""Captions are guessed by BERT in the hub's layout, with random weights."""

from tests.audit.corpora import audited, rows
from tests.models import checkpoints
from vlcheck.models.loading.load import load_model


def test_bert_fills_gaps(tmp_path):
    model = load_model(str(checkpoints.bert(tmp_path)))
    captions = rows(
        *[f"a {color} {thing} on the street" for color in ("red", "blue", "green") for thing in ("bus", "cat")]
    )
    found = audited(captions, "captions-guessable", model=model)
    assert found.n == 6
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert {part.name for part in found.parts} <= {"colors", "things"}
