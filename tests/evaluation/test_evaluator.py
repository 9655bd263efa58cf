"""How many images a verdict rests on: as many as were asked for, and others in place of those that do not count."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from PIL import Image

from tests.doubles import Competent, LovesColor, everything
from tests.plugin.conftest import write_cases
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.schedule import Sequentially
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.case_findings import CaseReader
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import scored
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
from vlcheck.perturb import Bare, Block, Compose, Grayscale, RotateHue
from vlcheck.policy.toml_file import load_policy
from vlcheck.suite.shipped import policy_path

BARE = EvaluationConfig(images=False)
IN_GREY = Behavior(name="test_grey", bias="color", cases=with_target("object"), perturb=Grayscale(), expect=Preserved())
OTHER_HUE = Behavior(
    name="test_hue",
    bias="color",
    cases=with_target("single"),
    given=Compose(Bare(), RotateHue()),
    expect=Beats(all=True),
)


@dataclass
class Knows(Competent):
    """Knows each photograph of which the number, modulo 10, is below some; counts the texts that it reads."""

    below: int = 10
    read: list = field(default_factory=list)

    def _truth(self, seen, template):
        case = self.truths.get(seen.photograph or "", {}).get(template)
        return super()._truth(seen, template) if case and number(case) % 10 < self.below else None

    def itm(self, encoded, texts, foils=None):
        self.read += [(seen, text) for seen, text in zip(encoded, texts, strict=True)]
        return super().itm(encoded, texts, foils)


class KnowsInColor(LovesColor, Knows):
    """Knows as many, and nothing that is grey."""


def number(case):
    return int(case.image.path.stem)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("many"), 80)


@contextmanager
def judging(kind, spec, **known):
    """A model under test, and the judgements that it comes to."""
    source, judgements = open_source(spec), []
    with scored(BARE, kind(source.cases, **known), Trials(source), load_policy(policy_path()), ()) as model:
        yield replace(model, record=judgements.append), judgements


def judged(kind, spec, behavior=IN_GREY, **known):
    with judging(kind, spec, **known) as (model, judgements):
        model.judge(behavior, "itm")
    return judgements[0]


def test_others_are_drawn_until_as_many_count_as_were_asked_for(photographs):
    judgement = judged(Knows, f"jsonl:{photographs}:30", below=7)
    assert (judgement.verdict.status, judgement.verdict.n) == ("pass", 30)
    unknown = [row for row in judgement.rows if row.margin is None]
    assert len(unknown) == judgement.asked - 30 == judgement.verdict.not_applicable
    assert {row.reason for row in unknown} == {"the model does not know the case"}
    assert judgement.rows[-1].margin is not None  # nothing is asked that is not needed


def test_how_many_are_drawn_hangs_on_what_is_known_and_not_on_what_is_violated(photographs):
    clean, biased = (judged(kind, f"jsonl:{photographs}:30", below=7) for kind in (Knows, KnowsInColor))
    assert (clean.verdict.status, biased.verdict.status) == ("pass", "fail")
    assert [row.case.id for row in clean.rows] == [row.case.id for row in biased.rows]


def test_the_first_images_stay_and_the_data_may_run_out(photographs):
    plain, drawn, out = (
        judged(Knows, f"jsonl:{photographs}:{n}", below=below) for n, below in ((30, 10), (30, 7), (70, 7))
    )
    assert (plain.asked, plain.verdict.n) == (30, 30)
    assert [row.case.id for row in drawn.rows[:30]] == [row.case.id for row in plain.rows]
    assert (out.asked, out.verdict.n) == (80, 56)


def test_at_most_twice_as_many_are_asked_and_none_of_a_model_that_knows_fewer_than_half(photographs):
    half, fewer = (judged(Knows, f"jsonl:{photographs}:30", below=below) for below in (5, 4))
    assert half.asked <= 60
    assert half.verdict.n <= 30
    assert (fewer.asked, fewer.verdict.status) == (30, "invalid")


def test_where_fewer_are_to_count_than_a_pass_needs_drawing_others_does_not_make_it_asked(photographs):
    judgement, biased = (judged(kind, f"jsonl:{photographs}:24", below=7) for kind in (Knows, KnowsInColor))
    assert judgement.asked >= 29
    assert judgement.verdict.summary == "not asked: 24 images; a pass needs 29"
    assert biased.verdict.status == "fail"


def test_an_edit_that_changes_nothing_makes_room_for_another_scene():
    source, judgements = open_source("scenes:30"), []
    asked = [case for case in everything(source) if case.tags & {"single", "object"}]  # objects set the scale
    with scored(BARE, Competent(asked), Trials(source), load_policy(policy_path()), ()) as model:
        replace(model, record=judgements.append).judge(OTHER_HUE, "itm")
    (judgement,) = judgements
    assert (judgement.verdict.status, judgement.verdict.n) == ("pass", 30)
    refused = {row.reason for row in judgement.rows if row.margin is None}
    assert refused == {"what the target names has no color that could be another"}


def test_a_model_to_which_the_picture_decides_nothing_is_asked_no_more(photographs):
    stated = replace(IN_GREY, perturb=Block())
    judgement = judged(Knows, f"jsonl:{photographs}:30", stated, below=0)
    assert (judgement.asked, judgement.verdict.status) == (30, "invalid")


def test_in_rounds_the_same_is_asked_and_once(photographs):
    alone = judged(Knows, f"jsonl:{photographs}:30", below=7)
    with judging(Knows, f"jsonl:{photographs}:30", below=7) as (model, judgements):
        sizes = []
        for one in model.rounds([(IN_GREY, "itm")]):
            one.scorer.answers(one.queries)
            sizes.append(len(one.queries))
        read = len(model.adapter.read)
        model.judge(IN_GREY, "itm")
        assert len(model.adapter.read) == read
    assert len(sizes) > 1
    assert [row.case.id for row in judgements[0].rows] == [row.case.id for row in alone.rows]


def sequentially(model):
    """The same model, whose verdicts are looked at as it is asked."""
    return replace(model, operating=Operating(model.trials, model.adapter.kinds, Sequentially(0), model.scorer.answers))


def test_one_look_after_another_ends_at_the_first_decided_one(photographs):
    with judging(KnowsInColor, f"jsonl:{photographs}:60") as (model, judgements):
        sequentially(model).judge(IN_GREY, "itm")
    assert judgements[0].verdict.status == "fail"
    assert judgements[0].asked < 30


def test_images_that_only_set_the_scale_are_not_replaced(photographs):
    """Of 40 the first 8 do: as few as 32 decide nothing where none violates."""
    with judging(Knows, f"jsonl:{photographs}:40") as (model, judgements):
        sequentially(model).judge(IN_GREY, "itm")
    assert (judgements[0].asked, judgements[0].verdict.decided) == (40, False)


def test_photographs_that_are_refused_when_they_are_drawn_are_among_the_twice_as_many(tmp_path):
    """Of each ten, two have a color that a picture in grey has not."""
    path = write_cases(tmp_path, 80)
    for photograph in path.parent.rglob("*.png"):
        if int(photograph.stem) % 10 > 1:
            Image.open(photograph).convert("L").convert("RGB").save(photograph)
    judgement = judged(Knows, f"jsonl:{path}:20")
    assert judgement.asked == 40
    assert judgement.verdict.n < 20


def test_findings_are_those_that_the_inquiry_came_to_and_no_case_is_read_twice(photographs, monkeypatch):
    with judging(KnowsInColor, f"jsonl:{photographs}:30", below=7) as (model, judgements):
        for one in model.rounds([(IN_GREY, "itm")]):
            one.scorer.answers(one.queries)
        read, finding = [], CaseReader.finding
        monkeypatch.setattr(CaseReader, "finding", lambda self, one: read.append(one) or finding(self, one))
        found = model.find(IN_GREY, "itm")
        assert not read
        verdict = model.judge(IN_GREY, "itm")
    assert len(read) < len(found.each) / 2  # those that do not count, of which other cases may say more
    assert len(found.each) > 30
    assert found.verdict(model.terms(IN_GREY).rule) == verdict
    assert [(one.margins, one.violated) for one in found.each] == [
        (row.margins, row.violated) for row in judgements[0].rows
    ]
