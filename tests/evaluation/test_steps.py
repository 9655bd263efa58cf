"""What is asked when: no picture is encoded for a case that cannot count, and none in two rounds."""

from collections import Counter
from contextlib import contextmanager

import pytest
from PIL import Image

from tests.evaluation.test_evaluator import IN_GREY, Knows, KnowsInColor, judging
from tests.plugin.conftest import write_cases
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.tables import AgainstNoise
from vlcheck.cases import with_target
from vlcheck.evaluation.steps import Agenda, Step
from vlcheck.expect import BEFORE, Drops, Preserved
from vlcheck.expect.base import AFTER, OTHER
from vlcheck.metrics.query import Query
from vlcheck.perturb import Grayscale, Jpeg

THINGS = with_target("object")
JPEG = Behavior(name="test_jpeg", bias="robustness", cases=THINGS, perturb=Jpeg(), expect=Preserved())
NOISE = Behavior(
    name="test_noise",
    bias="color",
    cases=THINGS,
    perturb=Grayscale(),
    expect=Preserved(),
    tables=(AgainstNoise(Grayscale()),),
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("steps"), 80)


@contextmanager
def in_rounds(spec, stated, **known):
    """A model after its rounds, with the queries of each."""
    with judging(Knows, spec, **known) as (model, judgements):
        rounds = []
        for one in model.rounds(stated):
            rounds.append(list(one.queries))
            one.scorer.answers(one.queries)
        yield model, judgements, rounds


def edited(queries):
    return {query.picture.key for query in queries if query.picture.edits}


def test_a_case_that_the_model_does_not_know_is_not_shown_edited(photographs):
    with in_rounds(f"jsonl:{photographs}:30", [(JPEG, "itm")], below=7) as (model, judgements, rounds):
        model.judge(JPEG, "itm")
    (judgement,) = judgements
    unknown = [row for row in judgement.rows if row.margin is None]
    assert len(unknown) > 5
    assert {(row.reason, row.after) for row in unknown} == {("the model does not know the case", None)}
    assert not edited(rounds[0])
    assert len(edited(query for queries in rounds for query in queries)) == judgement.verdict.n == 30


def test_it_counts_alike_whether_it_is_shown_or_not(photographs):
    with judging(Knows, f"jsonl:{photographs}:30", below=7) as (model, _):
        lean, full = model.find(JPEG, "itm"), model.find_in_full(JPEG, "itm")
    assert any(finding.sample.withheld for finding in lean.each)
    assert not any(finding.sample.withheld for finding in full.each)
    outcomes = [[(type(one.reason), one.margins, one.sample.askable) for one in found.each] for found in (lean, full)]
    assert outcomes[0] == outcomes[1]


def test_an_unknown_case_that_the_data_refuses_is_refused_without_being_asked(tmp_path):
    """Grey photographs have no color to lose: that is found by drawing them, not by encoding them."""
    path = write_cases(tmp_path, 40)
    for photograph in path.parent.rglob("*.png"):
        if int(photograph.stem) % 2:
            Image.open(photograph).convert("L").convert("RGB").save(photograph)
    with in_rounds(f"jsonl:{path}:30", [(IN_GREY, "itm")], below=0) as (model, _, rounds):
        findings = model.find(IN_GREY, "itm")
    reasons = Counter(str(finding.reason) for finding in findings.each)
    assert reasons.keys() == {"the photograph is grey already", "the model does not know the case"}
    assert not edited(query for queries in rounds for query in queries)


def test_an_edited_picture_is_encoded_in_one_round_alone(photographs):
    """Of the same edit, one test needs each picture at once, the other those of cases that are known."""
    drops = Behavior(name="test_drops", bias="color", cases=THINGS, perturb=Grayscale(), expect=Drops())
    with in_rounds(f"jsonl:{photographs}:30", [(IN_GREY, "itm"), (drops, "itm"), (NOISE, "mlm")], below=8) as found:
        _, _, rounds = found
    seen = Counter(picture for queries in rounds for picture in edited(queries))
    assert set(seen.values()) == {1}
    assert len(rounds) > 2


def test_noise_is_asked_about_only_where_the_edit_costs_something(photographs):
    found = {}
    for below in (10, 0):
        with in_rounds(f"jsonl:{photographs}:30", [(NOISE, "itm")], below=below) as (model, judgements, rounds):
            model.judge(NOISE, "itm")
        named = [query.picture.edits[-1].name for queries in rounds for query in queries if query.picture.edits]
        found[below] = Counter(named)["luminance-noise"], judgements[0].tables["against_noise"]
    assert found == {10: (0, {}), 0: (0, {})}


def test_noise_of_a_model_that_goes_by_color_is_in_its_table(photographs):
    with judging(KnowsInColor, f"jsonl:{photographs}:30", below=9) as (model, judgements):
        model.judge(NOISE, "itm")
    cells = judgements[0].tables["against_noise"]
    assert cells["cost"] > 0.2
    assert cells["n"] == judgements[0].verdict.n == 30


def test_a_query_for_later_is_asked_when_its_picture_is_shown(photographs):
    with judging(Knows, f"jsonl:{photographs}:30") as (model, _):
        first, second = (trial.arms[BEFORE] for trial in model.trials.of(JPEG, "itm")[:2])
        (needed,), (other,) = first.queries.values(), second.queries.values()
        later = Query("itm", needed.picture, "said later")
        elsewhere = Query("itm", other.picture, "said elsewhere")
        agenda = Agenda(model.scorer)
        (one,) = agenda.rounds([Step((needed,), (later, elsewhere))])
        assert list(one.queries) == [needed, later]
        (two,) = agenda.rounds([Step((needed, other))])
        assert list(two.queries) == [other, elsewhere]
    assert {BEFORE, AFTER, OTHER} == model.trials.of(JPEG, "itm")[0].arms.keys()
