"""The study's tables, from numbers whose means are plain, and as the terminal prints them."""

from dataclasses import replace

import pytest

from tests.report.pages import results, verdict
from vlcheck.behaviors.tables import (
    AgainstNoise,
    ColorAndGrey,
    EachModalityAlone,
    LanguageForVision,
    LeftAndRight,
    Synergy,
    UnderEach,
    VisionAndLanguage,
    VisionForLanguage,
)
from vlcheck.cases import Case
from vlcheck.cases.view import View
from vlcheck.expect.base import AFTER, BEFORE, Sample
from vlcheck.metrics.mm_shap import ContributionReading
from vlcheck.metrics.registry import METRICS
from vlcheck.perturb import Box, Grayscale, Solid
from vlcheck.perturb.regions import TakeOut
from vlcheck.report.text import summary
from vlcheck.results.schema import record_of


def sample(target="dog", absent=None, image=0, **arms):
    case = Case(id="one", image=Solid((8, 8), (image, 0, 0)), caption=f"a {target}", target=target)
    scores = {arm: score if isinstance(score, dict) else {target: score} for arm, score in arms.items()}
    return Sample(case, {arm: METRICS["itm"].reading(target, said) for arm, said in scores.items()}, absent or {})


def four(hint, blocked, bare, blocked_bare):
    return sample(**{BEFORE: hint, "blocked_hint": blocked, "original_bare": bare, "blocked_bare": blocked_bare})


def test_the_four_cells_their_interaction_and_the_balance():
    cells = VisionAndLanguage().cells([four(0.9, 0.5, 0.7, 0.1), four(0.7, 0.3, 0.5, 0.1)])
    expected = {"original_hint": 0.8, "blocked_hint": 0.4, "original_bare": 0.6, "blocked_bare": 0.1, "n": 2}
    assert {cell: cells[cell] for cell in expected} == pytest.approx(expected)
    assert cells["interaction"] == pytest.approx((0.8 - 0.4) - (0.6 - 0.1))
    assert cells["balance"] == pytest.approx(0.6 - 0.4)


def test_a_case_without_all_cells_is_in_none():
    half = sample(absent={"blocked_hint": "no"}, **{BEFORE: 0.1, "original_bare": 0.1, "blocked_bare": 0.1})
    assert VisionAndLanguage().cells([four(0.9, 0.5, 0.7, 0.1), half])["n"] == 1
    assert VisionAndLanguage().cells([half]) == {}


def test_color_and_grey():
    cells = ColorAndGrey().cells([sample(**{BEFORE: 0.9, AFTER: 0.5}), sample(**{BEFORE: 0.7, AFTER: 0.1})])
    assert cells == pytest.approx({"color": 0.8, "grey": 0.3, "n": 2})


def test_under_each_perturbation_a_mean_of_its_own():
    def under(perturbation, before, after):
        return replace(sample(**{BEFORE: before, AFTER: after}), perturbation=perturbation)

    cells = UnderEach().cells([under("a", 0.9, 0.5), under("b", 0.9, 0.2), under("a", 0.7, 0.1), under("b", 0.7, 0.6)])
    assert cells == pytest.approx({"before": 0.8, "a": 0.3, "b": 0.4, "n": 2})


def test_what_an_edit_costs_is_held_against_that_of_noise_image_by_image():
    scores = [{BEFORE: 0.9, AFTER: 0.4, "noise": 0.8}, {BEFORE: 0.7, AFTER: 0.4, "noise": 0.7}]
    samples = [sample(image=image, **arms) for image, arms in enumerate(scores)]
    cells = AgainstNoise(Grayscale()).cells(samples)
    assert cells["cost"] == pytest.approx(0.4)
    assert cells["noise_cost"] == pytest.approx(0.05)
    assert cells["difference"] == pytest.approx(0.35)
    assert (cells["difference_low"], cells["difference_high"]) == pytest.approx((0.3, 0.4))
    assert cells["n"] == 2
    text = "\n".join(summary.against_noise([line("test_grey", "mlm", tables={"against_noise": cells})]))
    assert "loss under the edit, and under noise of the same size" in text
    assert "test_grey MLM" in text


def test_noise_that_was_not_asked_is_in_no_mean():
    assert (
        AgainstNoise(Grayscale()).cells([sample(absent={"noise": "grey already"}, **{BEFORE: 0.9, AFTER: 0.4})]) == {}
    )


def test_left_and_right_are_apart_by_which_is_true():
    def sides(left, right):
        return {"left": left, "right": right}

    cells = LeftAndRight().cells(
        [
            sample("left", **{BEFORE: sides(0.2, 0.8), "mirrored": sides(0.1, 0.9)}),
            sample("right", **{BEFORE: sides(0.3, 0.7), "mirrored": sides(0.4, 0.6)}),
        ]
    )
    assert cells["left_is_true_original_right"] == 0.8
    assert cells["left_is_true_mirrored_left"] == 0.1
    assert cells["right_is_true_mirrored_right"] == 0.6
    assert (cells["left_is_true_n"], cells["right_is_true_n"]) == (1, 1)


def ablated(none, thing, everything, row=""):
    return {f"{row}none": none, f"{row}object": thing, f"{row}all": everything}


def seen(hint, bare, image=0):
    return sample(image=image, **ablated(*hint, row="hint_"), **ablated(*bare, row="bare_"))


def test_an_ablation_has_three_means_and_what_each_removal_costs():
    same = (0.9, 0.9, 0.9)
    cells = VisionForLanguage().cells([seen(same, (0.9, 0.3, 0.1), 0), seen(same, (0.7, 0.5, 0.1), 1)])
    expected = {"none": 0.8, "object": 0.4, "all": 0.1, "object_costs": 0.4, "all_costs": 0.7}
    assert {cell: cells[f"bare_{cell}"] for cell in expected} == pytest.approx(expected)
    assert (cells["bare_object_costs_low"], cells["bare_object_costs_high"]) == pytest.approx((0.2, 0.6))
    assert (cells["bare_all_costs_low"], cells["bare_all_costs_high"]) == pytest.approx((0.6, 0.8))
    assert (cells["hint_object"], cells["hint_object_costs"], cells["n"]) == pytest.approx((0.9, 0, 2))


def test_of_several_words_an_ablation_has_the_share_of_the_target():
    told, untold = {"dog": 0.06, "cat": 0.02}, {"dog": 0.3, "cat": 0.3}
    cells = LanguageForVision().cells([sample(**ablated(told, untold, untold))])
    assert [cells[cell] for cell in ("none", "object", "all")] == pytest.approx([0.75, 0.5, 0.5])


def test_an_ablation_is_of_the_cases_that_have_all_of_it():
    whole = ablated(0.9, 0.3, 0.1)
    lacking = sample(absent={"all": "no"}, **{arm: score for arm, score in whole.items() if arm != "all"})
    assert LanguageForVision().cells([lacking]) == {}
    cells = LanguageForVision().cells([lacking, sample(**whole)])
    assert (cells["none"], cells["n"]) == (0.9, 1)


def test_what_is_removed_in_an_ablation():
    view = View.of(
        Case(
            id="one", image=Solid((64, 64), (9, 9, 9)), caption="a man walks his old dog", target="dog",
            bare="a photo of a [MASK]", region=(Box(8, 8, 9, 9),),
        )
    )  # fmt: skip
    sees, reads = (
        {arm: edit(view, ()) for arm, edit in table.arms().items()}
        for table in (VisionForLanguage(), LanguageForVision())
    )
    hidden, black = (view.picture.then(edit).key for edit in (TakeOut(view.region), TakeOut()))
    assert [sees[arm].text for arm in ("hint_none", "bare_none")] == ["a man walks his dog", "a photo of a dog"]
    for text in ("hint", "bare"):
        pictures = [sees[f"{text}_{removed}"].picture.key for removed in ("none", "object", "all")]
        assert pictures == [view.picture.key, hidden, black]
    assert {one.picture.key for one in reads.values()} == {hidden}
    assert [reads[removed].text.partition(",")[0] for removed in ("none", "object", "all")] == [
        "a man walks his old dog", "a man walks it", "a photo of a dog",
    ]  # fmt: skip


def test_both_directions_of_an_ablation_are_printed():
    sees = VisionForLanguage().cells([seen((0.9, 0.8, 0.7), (0.9, 0.3, 0.1))])
    reads = LanguageForVision().cells([sample(**ablated(0.6, 0.5, 0.5))])
    verdicts = [
        line("test_told", "itm", tables={"language_for_vision": dict(reads)}),
        line("test_seen", "mlm", tables={"vision_for_language": dict(sees)}),
    ]
    title, head, *rows = summary.ablation(verdicts)
    assert title.startswith("cross-modal ablation (Frank et al. 2021), mean score")
    assert head.split()[:3] == ["none", "object", "all"]
    assert [row.partition("  ")[0] for row in rows] == [
        "vision for language, with hint: test_seen MLM",
        "vision for language, without hint: test_seen MLM",
        "language for vision: test_told ITM",
    ]
    assert rows[1].split()[-12:-8] == ["0.900", "0.300", "0.100", "0.600"]
    assert list(summary.ablation([line("test_seen", "mlm")])) == []


def line(behavior, metric, status="pass", bias="modality", tables=None, p=1.0, **changes):
    said = {
        "test": f"test_file.py::{behavior}[{metric}]", "behavior": behavior, "bias": bias, "metric": metric,
        "status": status, "tables": tables or {}, "p": p, "claim": "rate", "n": 40, "violations": 5,
        "rate": 0.075, "rate_low": 0.02, "rate_high": 0.18, "allowed": 0.1, "alpha": 0.05,
        "detectable": 0.27, "known": None, "score_kind": "", "reason": "",
    }  # fmt: skip
    return record_of({"kind": "verdict"} | said | changes)


def test_the_matrix_shows_the_worst_verdict_of_each_cell():
    each = [("a", "mlm", "pass"), ("b", "mlm", "fail"), ("a", "itm", "inconclusive"), ("b", "itm", "invalid")]
    found = results(*((verdict(name, metric, status, cause=None), []) for name, metric, status in each))
    assert [row.split() for row in summary.matrix_lines(found)][1] == ["color", "fail", "invalid"]


def test_holm_is_printed_beside_p():
    rows = list(summary.each([line("a", "mlm", p=0.01), line("b", "mlm", p=0.03)]))
    assert rows[1].split()[-2:] == ["0.010", "0.020"]
    assert rows[2].split()[-2:] == ["0.030", "0.030"]


def test_figure_1_has_mlm_beside_itm():
    cells = VisionAndLanguage().cells([four(0.9, 0.5, 0.7, 0.1)])
    verdicts = [line("a", metric, tables={"vision_language": dict(cells)}) for metric in ("mlm", "itm")]
    text = list(summary.vision_and_language(verdicts))
    assert text[0] == "vision and language (figure 1 of Jung et al. 2023), mean score over 1 row"
    assert text[3].split() == ["blocked,", "with", "hint", "0.500", "0.500"]


def test_each_modality_alone_has_four_means_their_shapley_values_and_the_synergy():
    alone = [
        {BEFORE: 0.9, AFTER: 0.3, "picture alone": 0.2, "neither": 0.1},
        {BEFORE: 0.7, AFTER: 0.5, "picture alone": 0.0, "neither": 0.1},
    ]
    cells = EachModalityAlone().cells([sample(image=image, **arms) for image, arms in enumerate(alone)])
    expected = {"both": 0.8, "text": 0.4, "picture": 0.1, "neither": 0.1, "of_text": 0.5, "of_picture": 0.2, "n": 2}
    assert {cell: cells[cell] for cell in expected} == pytest.approx(expected)
    assert [cells[f"synergy{end}"] for end in ("", "_low", "_high")] == pytest.approx([0.4, 0.3, 0.5])
    assert EachModalityAlone().cells([sample(absent={"neither": "no"}, **alone[0])]) == {}


def contribution(share, synergy, image):
    case = Case(id="one", image=Solid((8, 8), (image, 0, 0)), caption="a dog", target="dog")
    return Sample(case, {BEFORE: ContributionReading("dog", {"dog": share}, synergy=synergy)})


def test_the_mean_synergy_of_contributions():
    cells = Synergy().cells([contribution(0.6, 0.9, 1), contribution(0.4, -0.1, 2)])
    assert cells == pytest.approx({"synergy": 0.4, "synergy_low": -0.1, "synergy_high": 0.9, "n": 2})


def test_the_synergy_of_another_metric_is_refused():
    with pytest.raises(TypeError, match="is for the metric mm-shap"):
        Synergy().cells([sample(**{BEFORE: 0.9})])


def test_the_terminal_draws_the_share_of_the_words_and_of_the_picture_with_its_interval():
    means = {"both": 0.9, "text": 0.9, "picture": 0.0, "neither": 0.9, "of_text": 0.45, "of_picture": -0.45, "n": 20}
    synergy = {"synergy": 0.91, "synergy_low": 0.8, "synergy_high": 0.95, "n": 20}
    claims = {"claim": "mean", "effect": 0.5, "effect_low": 0.0, "effect_high": 0.75}
    verdicts = [
        line("test_collapses", "mm-shap", tables={"synergy": synergy}, **claims),
        line("test_alone", "itm", tables={"modalities": means | synergy}, **claims | {"effect_high": 1.0}),
        line("test_other", "itm", **claims),
        line("test_rate", "itm", tables={"synergy": synergy}, effect=0.5),
    ]
    head, names, first, second = summary.modality_shares(verdicts)
    assert head.startswith("what the words (T-SHAP) and the picture (V-SHAP) contribute")
    assert names.split() == ["T-SHAP", "interval", "V-SHAP", "synergy", "interval", "n"]
    said = "test_collapses 0.750 0.50 to 0.88 0.250 +0.910 0.80 to 0.95 40"
    assert first.split("[")[0].split() == said.split()
    assert first.endswith("[" + "#" * 20 + "=" * 15 + "-" * 5 + "]")
    assert second.endswith("[" + "#" * 20 + "=" * 20 + "]")
    names, row = summary.each_modality_alone(verdicts)
    assert row.split() == ["test_alone", "0.900", "0.900", "0.000", "0.900", "+0.450", "-0.450", "20"]
    assert [*summary.modality_shares(verdicts[2:]), *summary.each_modality_alone(verdicts[2:])] == []


def test_a_verdict_of_mm_shap_without_a_table_has_its_bar_and_no_synergy():
    claim = {"claim": "mean", "effect": 0.5, "effect_low": 0.0, "effect_high": 0.75}
    *_, row = summary.modality_shares([line("test_own", "mm-shap", **claim)])
    assert row.split("[")[0].split() == ["test_own", "0.750", "0.50", "to", "0.88", "0.250", "-", "-", "40"]
    assert row.endswith("[" + "#" * 20 + "=" * 15 + "-" * 5 + "]")
    assert [*summary.modality_shares([line("test_rate", "mm-shap", effect=0.5)])] == []


def test_what_is_observed_is_what_the_interval_is_of():
    head, row, legend = summary.each([line("a", "mlm")])
    assert dict(zip(head.split()[:6], row.replace(" to ", "-to-").split(), strict=False)) == {
        "test": "a", "metric": "mlm", "verdict": "pass", "n": "40", "observed": "0.075", "interval": "0.02-to-0.18",
    }  # fmt: skip
    assert head.split()[7:9] == ["detectable", "p"]
    assert row.split()[-3:] == ["0.270", "1.000", "1.000"]
    assert legend.startswith("n: Images that take part in the verdict: ")
