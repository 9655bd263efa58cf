"""Two runs on the same cases: what is worse, what is not, and what cannot be compared."""

import json

import pytest

from vlcheck.errors import UsageError
from vlcheck.report.text.comparison import comparison_lines, conclusion
from vlcheck.results.comparison import compare_runs, read_baseline, read_compared
from vlcheck.results.file import ResultLines, write_results
from vlcheck.results.schema import record_of

HOLDS, VIOLATES = 0.1, -0.1
GOOD, BAD = [HOLDS] * 20, [VIOLATES] * 20


def run(**changes):
    header = {"kind": "run", "schema": 1, "name": "mine", "fingerprint": "f", "data": "scenes", "started": "today"}
    return ResultLines(record_of(header | changes))


def verdict(test="test_a", metric="mlm", **changes):
    named = {"kind": "verdict", "test": f"tests/{test}[{metric}]", "bias": "color", "behavior": test, "metric": metric}
    stated = {"score_kind": "masked-lm", "perturbation": "grayscale v1", "expected": "the score stays", "band": None}
    judged = {"claim": "rate", "status": "pass", "reason": "", "tolerances": {"within": 0.1, "by": 0.05}}
    return named | stated | judged | changes


def mean(test="test_m", **changes):
    return verdict(test, claim="mean", band=[-0.15, 0.15], expected="no favourite", **changes)


def row(image, margin, **changes):
    asked = {"kind": "evidence", "case": f"case {image}", "perturbation": "grayscale v1", "image": image}
    said = {"perturbed": f"grey {image}", "texts": ["a dog"], "margin": margin, "values": None, "effect": margin}
    return asked | said | changes


def rows(margins):
    """One an image."""
    return [row(f"i{number}", margin) for number, margin in enumerate(margins)]


def results(*judged, **changes):
    """A run of verdicts, each with its evidence."""
    one = run(**changes)
    for line, evidence in judged:
        one.add(json.dumps(each) for each in [*evidence, line])
    return one


def only(old, new, **options):
    """The one row of a comparison."""
    (found,) = compare_runs(old, new, **options).rows
    return found


def compared(old, new, **changes):
    """Of runs with one verdict each, and these margins."""
    return only(results((verdict(), rows(old))), results((verdict(**changes), rows(new))))


def test_more_violations_are_worse_fewer_better_and_few_the_same():
    worse = compared(GOOD, BAD)
    assert (worse.verdict, worse.n, worse.images_worse, worse.images_better) == ("worse", 20, 20, 0)
    assert (worse.figure.old, worse.figure.new) == (0, 1)
    assert worse.figure.p == pytest.approx(2 / 2**20)
    assert compared(BAD, GOOD).verdict == "better"
    assert compared(GOOD, GOOD).verdict == "same"
    assert compared(GOOD, [VIOLATES] * 5 + GOOD[5:]).verdict == "same"  # p = 2 / 2^5
    assert compared(GOOD, [VIOLATES] * 6 + GOOD[6:]).verdict == "worse"  # p = 2 / 2^6


def test_what_the_old_run_decided_and_is_not_asked_now_is_lost():
    few = {"status": "not asked", "reason": "3 images; a pass needs 29"}
    old, new = results((verdict(), rows(GOOD))), results((verdict(**few), rows(GOOD)))
    found = only(old, new)
    assert (found.verdict, found.lost) == ("not comparable", True)
    assert found.reason == "not asked in the new run: 3 images; a pass needs 29"
    assert not compare_runs(old, new).accepted
    assert (only(new, old).reason, only(new, old).lost) == (
        "not asked in the old run: 3 images; a pass needs 29",
        False,
    )
    assert not only(new, new).lost


def test_a_test_of_an_explanation_that_a_run_did_not_ask_for_is_not_lost():
    shared, own = (verdict(), rows(GOOD)), (verdict("test_map", "map", score_kind="lrp"), rows(GOOD))
    whole, part = results(shared, own), results(shared, unasked=["tests/test_map[map]"])
    for old, new, which in ((whole, part, "new"), (part, whole, "old")):
        found = compare_runs(old, new)
        (row,) = found.which("not comparable")
        assert (row.behavior, row.lost, found.accepted) == ("test_map", False, True)
        assert row.reason == f"of an explanation that the {which} run did not ask for"
    gone = compare_runs(whole, results(shared))
    assert ([row.behavior for row in gone.lost], gone.accepted) == (["test_map"], False)


def test_a_margin_of_nothing_is_a_violation():
    assert compared(GOOD, [0.0] * 20).images_worse == 20


def test_a_known_bias_that_does_not_grow_is_the_same():
    bad = compared(BAD, BAD)
    assert (bad.verdict, bad.figure.old, bad.figure.new) == ("same", 1, 1)


def test_the_more_is_compared_the_surer_a_change_has_to_be():
    changed = (verdict("test_b"), rows([VIOLATES] * 6 + GOOD[6:]))
    old = results((verdict("test_b"), rows(GOOD)), (verdict("test_a"), rows(GOOD)))
    found = {one.behavior: one for one in compare_runs(old, results(changed, (verdict("test_a"), rows(GOOD)))).rows}
    assert found["test_b"].verdict == "same"
    assert found["test_b"].figure.p == pytest.approx(2 * 2 / 2**6)


def test_alpha_is_the_callers():
    old, new = results((verdict(), rows(GOOD))), results((verdict(), rows([VIOLATES] * 5 + GOOD[5:])))
    assert only(old, new, alpha=0.1).verdict == "worse"


def test_an_image_of_several_rows_counts_once_by_its_share():
    """Eight rows on two images are two changes, however many of the rows changed."""
    old = [row("one", HOLDS, case=str(i)) for i in range(4)] + [row("two", VIOLATES, case=str(i)) for i in range(4)]
    new = [row("one", VIOLATES, case=str(i)) for i in range(4)] + [row("two", HOLDS, case="0"), *old[5:]]
    found = only(results((verdict(), old)), results((verdict(), new)))
    assert (found.n, found.images_worse, found.images_better) == (2, 1, 1)
    assert (found.figure.old, found.figure.new) == (0.5, 0.875)
    assert found.verdict == "same"


def test_rows_pair_by_case_perturbation_pictures_and_texts():
    pairs = rows(GOOD)
    changes = ({"case": "x"}, {"perturbation": "x"}, {"image": "x"}, {"perturbed": "x"}, {"texts": ["x"]})
    changed = [one | change for one, change in zip(rows(BAD), changes, strict=False)] + rows(BAD)[5:]
    assert only(results((verdict(), pairs)), results((verdict(), changed))).n == 15
    uncounted = [one | {"margin": None} for one in pairs[:3]] + pairs[3:]
    assert only(results((verdict(), pairs)), results((verdict(), uncounted))).n == 17


def test_the_effect_is_reported_and_decides_nothing():
    found = compared([0.1] * 20, [0.4] * 20)
    assert (found.verdict, found.effect.old, found.effect.new) == ("same", pytest.approx(0.1), pytest.approx(0.4))
    assert found.effect.p < 0.001
    old = [{key: value for key, value in one.items() if key != "effect"} for one in rows(GOOD)]
    assert only(results((verdict(), old)), results((verdict(), rows(GOOD)))).effect is None


def means(old, new, **changes):
    return only(results((mean(), rows(old))), results((mean(**changes), rows(new))))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (0.0, 0.4, "worse"),
        (0.4, 0.0, "better"),
        (0.0, -0.4, "worse"),
        (0.2, 0.4, "worse"),
        (0.4, 0.2, "better"),
        (-0.4, 0.4, "same"),
        (0.0, 0.1, "same"),
        (-0.14, 0.14, "same"),
    ],
)
def test_a_mean_is_worse_where_it_is_farther_outside_its_band(old, new, said):
    found = means([old] * 20, [new] * 20)
    assert (found.verdict, found.figure.old, found.figure.new) == (said, pytest.approx(old), pytest.approx(new))
    assert (found.images_worse, found.images_better) == (None, None)


def test_a_mean_that_moved_by_chance_is_the_same():
    found = means([0.14] * 20, [0.9, -0.58] * 10)  # on average 0.16, just outside
    assert found.figure.new == pytest.approx(0.16)
    assert found.verdict == "same"


def skew(**by_word):
    """Of rows that claim something about several words."""
    return [row(f"i{i}", 0.0, values={word: value[i] for word, value in by_word.items()}) for i in range(20)]


def test_of_several_means_the_worse_one_speaks_and_pays_for_their_number():
    none, some, many = [0.0] * 20, [0.5] * 12 + [0.0] * 8, [1.0] * 20
    old = results((mean(), skew(black=none, gray=many, white=none)))
    found = only(old, results((mean(), skew(black=none, gray=none, white=some))))
    assert (found.verdict, found.about, found.n) == ("worse", "white", 20)
    assert found.figure.p == pytest.approx(3 * 2 / 2**12, rel=0.5)
    back = only(old, results((mean(), skew(black=none, gray=none, white=none))))
    assert (back.verdict, back.about) == ("better", "gray")


def test_what_the_old_run_decided_and_the_new_one_has_no_word_on_is_lost():
    old = results((verdict(), rows(GOOD)), (verdict("test_b"), rows(GOOD)))
    hollow = verdict("test_b", status="invalid", reason="scores are not finite")
    for new in (results((verdict(), rows(GOOD)), (hollow, [])), results((verdict(), rows(GOOD)))):
        found = compare_runs(old, new)
        assert [row.behavior for row in found.lost] == ["test_b"]
        assert found.comparable
        assert not found.accepted
        assert "no longer decided: color (1 test)" in conclusion(found)
    undecided = results((verdict(), rows(GOOD)), (verdict("test_b", status="inconclusive"), rows(GOOD)))
    assert compare_runs(undecided, results((verdict(), rows(GOOD)))).accepted


def test_cases_that_no_longer_count_are_seen_in_the_table():
    new = [row(f"i{number}", None if number < 8 else HOLDS) for number in range(20)]
    text = "\n".join(comparison_lines(compare_runs(results((verdict(), rows(GOOD))), results((verdict(), new)))))
    assert "12 of 20" in text


def test_a_mean_counts_in_the_correction():
    old = results((mean(), rows([0.0] * 20)), (verdict(), rows(GOOD)))
    new = results((mean(), rows([0.5] * 20)), (verdict(), rows([VIOLATES] * 6 + GOOD[6:])))
    found = {one.behavior: one for one in compare_runs(old, new).rows}
    assert (found["test_m"].verdict, found["test_a"].verdict) == ("worse", "worse")  # the second at 1 x 2 / 2^6
    assert found["test_m"].figure.p < 1e-4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"score_kind": "candidates"},
            "the kind of score differs: masked-lm in the old run, candidates in the new one",
        ),
        ({"perturbation": "grayscale v2"}, "the perturbation differs: grayscale v1 in the old run, grayscale v2 in"),
        ({"perturbation": ""}, "the perturbation differs: grayscale v1 in the old run, none in the new one"),
        ({"expected": "the score drops"}, "what is expected differs: the score stays in the old run"),
        ({"tolerances": {"within": 0.2, "by": 0.05}}, "the tolerance 'within' differs: 0.1 in the old run, 0.2 in"),
        ({"tolerances": {"by": 0.0}}, "the tolerance 'by' differs: 0.05 in the old run, 0.0 in the new one"),
        ({"claim": "mean", "band": [0, 1]}, "the kind of claim differs: rate in the old run, mean in the new one"),
        ({"status": "invalid", "reason": "NaN"}, "invalid in the new run: NaN"),
    ],
)
def test_what_was_not_asked_alike_is_not_compared(changes, said):
    found = compared(GOOD, BAD, **changes)
    assert found.verdict == "not comparable"
    assert found.reason.startswith(said)
    assert found.figure is None


def test_what_is_invalid_in_both_runs_says_so_of_each():
    old = results((verdict(status="invalid", reason="knows none"), []))
    assert only(old, old).reason == "invalid in the old run: knows none; invalid in the new run: knows none"


def test_means_of_two_bands_are_not_compared_and_a_rate_may_be_allowed_another_share():
    found = only(results((mean(), rows(GOOD))), results((mean() | {"band": [-1, 0.15]}, rows(GOOD))))
    assert found.reason == "the band differs: [-0.15, 0.15] in the old run, [-1, 0.15] in the new one"
    assert only(results((mean() | {"band": None}, [])), results((mean() | {"band": None}, []))).reason.startswith(
        "a mean"
    )
    old, new = verdict(allowed=0.1), verdict(allowed=0.2)
    assert only(results((old, rows(GOOD))), results((new, rows(GOOD)))).verdict == "same"


def test_results_without_tolerances_are_of_an_older_run_and_compared():
    old = {key: value for key, value in verdict().items() if key != "tolerances"}
    assert only(results((old, rows(GOOD))), results((verdict(), rows(BAD)))).verdict == "worse"


def test_a_test_of_one_run_only_is_said_to_be():
    old = results((verdict("test_old"), rows(GOOD)), (verdict("test_a"), rows(GOOD)))
    new = results((verdict("test_new"), rows(GOOD)), (verdict("test_a"), rows(GOOD)))
    reasons = {one.behavior: one.reason for one in compare_runs(old, new).rows}
    assert reasons == {
        "test_new": "asked in the new run only",
        "test_old": "asked in the old run only",
        "test_a": "",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (range(20), range(20, 40), "other data: no case in common"),
        (range(20), range(9), "other data: 9 of the 20 rows that count in the old run, and of 9 in the new one"),
        (range(9), range(20), "other data: 9 of the 9 rows that count in the old run, and of 20 in the new one"),
        (range(20), range(10), ""),
    ],
)
def test_other_data_says_how_little_is_the_same(old, new, said):
    old, new = ([row(str(number), HOLDS) for number in numbers] for numbers in (old, new))
    assert only(results((verdict(), old)), results((verdict(), new))).reason == said


def test_tests_are_found_again_wherever_pytest_was_started():
    moved = verdict() | {"test": "elsewhere/tests/test_a[mlm]"}
    assert only(results((verdict(), rows(GOOD))), results((moved, rows(BAD)))).verdict == "worse"


def test_tests_of_one_behavior_are_kept_apart_by_their_names():
    first, second = (verdict() | {"test": f"test_a[{name}]"} for name in ("first", "second"))
    old = results((first, rows(GOOD)), (second, rows(GOOD)))
    found = {one.test: one.verdict for one in compare_runs(old, results((first, rows(GOOD)), (second, rows(BAD)))).rows}
    assert found == {"test_a[first]": "same", "test_a[second]": "worse"}
    fewer = {one.test: one.verdict for one in compare_runs(old, results((second, rows(BAD)))).rows}
    assert fewer == {"test_a[first]": "not comparable", "test_a[second]": "worse"}


def test_a_comparison_is_accepted_where_something_was_compared_and_nothing_is_worse():
    good, bad = results((verdict(), rows(GOOD))), results((verdict(), rows(BAD)))
    assert compare_runs(good, good).accepted
    assert compare_runs(bad, good).accepted
    assert not compare_runs(good, bad).accepted
    assert not compare_runs(good, results((verdict("test_b"), rows(GOOD)))).accepted


def test_the_text_names_runs_figures_reasons_and_biases():
    old = results(
        *((verdict(name), rows(GOOD)) for name in ("test_a", "test_b", "test_c")),
        *((verdict(f"test_{i}", score_kind="candidates"), rows(GOOD)) for i in range(3)),
        name="one",
        data="scenes:20",
        started="2026-01-01",
    )
    new = results(
        *((verdict(name, bias="position"), rows(BAD)) for name in ("test_a", "test_b")),
        (verdict("test_c"), rows(GOOD)),
        *((verdict(f"test_{i}"), rows(GOOD)) for i in range(3)),
        name="two",
        fingerprint="g",
    )
    head, _, *text = comparison_lines(compare_runs(old, new))
    assert head == "two on scenes (today) against one on scenes:20 (2026-01-01)"
    table = [" ".join(line.split()) for line in text[:4]]
    assert table[0] == "test metric verdict old new worse better n p (Holm) effect p (effect)"
    assert table[1] == "test_a mlm worse 0.000 1.000 20 0 20 6e-06 0.100 -> -0.100 1e-04"
    assert table[3] == "test_c mlm same 0.000 0.000 0 0 20 1.000 0.100 -> 0.100 1.000"
    assert text[-3] == (
        "3 not comparable, the kind of score differs: candidates in the old run, masked-lm in the new one:"
        " test_0 (mlm), test_1 (mlm), test_2 (mlm)"
    )
    assert text[-1] == "worse: position (2 tests); better: none; 1 same, 3 not comparable"


def test_the_same_weights_are_named_and_so_is_a_single_test():
    good, bad = results((verdict(), rows(GOOD))), results((verdict(), rows(BAD)))
    assert next(comparison_lines(compare_runs(bad, good))).endswith("; the same weights")
    assert conclusion(compare_runs(bad, good)) == "worse: none; better: color (1 test); 0 same, 0 not comparable"


def test_where_nothing_can_be_compared_all_tests_are_one_line():
    old = results(*((verdict(f"test_{i}", score_kind="candidates"), rows(GOOD)) for i in range(56)))
    new = results(*((verdict(f"test_{i}"), rows(GOOD)) for i in range(56)))
    _, _, reason, _, last = comparison_lines(compare_runs(old, new))
    assert reason.startswith("56 not comparable, the kind of score differs")
    assert reason.endswith(": all tests")
    assert last == "nothing can be compared: nothing green comes out of nothing"


def test_names_from_a_file_cannot_steer_the_terminal():
    hostile = "\x1b[2J\r\n"
    old = results(
        (verdict(f"{hostile}a", bias=hostile), rows(GOOD)),
        (verdict("test_b", metric=hostile), []),
        name=hostile,
        data=hostile,
        started=hostile,
    )
    new = results((verdict(f"{hostile}a", bias=hostile), rows(BAD)), (verdict("test_b", metric=hostile), rows(GOOD)))
    assert all(line.isprintable() for line in comparison_lines(compare_runs(old, new)))


def test_a_baseline_is_another_file_than_the_results(tmp_path):
    path = tmp_path / "results.jsonl"
    write_results(path, results((verdict(), rows(GOOD))))
    with pytest.raises(UsageError, match=r"baseline=.*: is where the results go \(results\)"):
        read_baseline(path, tmp_path / "." / "results.jsonl")
    assert len(read_baseline(path, tmp_path / "other.jsonl").verdicts) == 1


def test_results_without_a_verdict_are_no_standard(tmp_path):
    write_results(tmp_path / "results.jsonl", run())
    with pytest.raises(UsageError, match=r"results\.jsonl: holds no verdict"):
        read_compared(tmp_path / "results.jsonl")


def test_releases_are_compared_across_versions_and_those_that_differ_are_named():
    before = {"transformers": "5.23.0", "tokenizers": "0.22.1", "peft": "not installed", "torch": "2.9.0"}
    now = {"torch": "2.9.0", "transformers": "5.24.0", "tokenizers": "0.22.1", "peft": "0.18.0", "timm": "1.0.9"}
    old = results((verdict(), rows(GOOD)), versions=before)
    new = results((verdict(), rows(BAD)), versions=now)
    found = compare_runs(old, new)
    assert [one.verdict for one in found.rows] == ["worse"]
    text = list(comparison_lines(found))
    assert text[1] == (
        "What is installed differs: transformers 5.23.0 before, 5.24.0 now; peft not installed before, 0.18.0 now"
    )
    assert compare_runs(new, new).versions == ()
    assert not any("installed" in line for line in comparison_lines(compare_runs(new, new)))
    assert compare_runs(run(), new).versions == ()  # results of before named fewer of them, or none
    hostile = compare_runs(results((verdict(), rows(GOOD)), versions={"torch": "\x1b[2J"}), new)
    assert all(line.isprintable() for line in comparison_lines(hostile))


@pytest.mark.parametrize("read_as", [read_compared, read_baseline])
def test_a_run_whose_model_changed_is_no_side_of_a_comparison(tmp_path, read_as):
    path = tmp_path / "old.jsonl"
    one = results((verdict(), rows(GOOD)))
    one.add([json.dumps({"kind": "identity", "process": "main", "name": "m", "noise": 0.0, "changed": "was 1, is 2"})])
    write_results(path, one)
    with pytest.raises(UsageError, match=r"holds verdicts on more than one model\. Was 1, is 2\."):
        read_as(path)
