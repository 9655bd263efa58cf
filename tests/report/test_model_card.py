"""A model card's section: its figures as the hub reads them, its limits, and hostile texts that stay texts."""

import re

import pytest
import yaml
from huggingface_hub import ModelCard

from tests.cli.test_cli import run
from tests.results.test_comparison import BAD, GOOD, mean, results, rows, verdict
from vlcheck.report.markdown.model_card import card
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import write_results
from vlcheck.results.words import WordKnowledgeRecord, WordsRecord
from vlcheck.suite.shipped import BIASES

JUDGED = {"n": 20, "not_applicable": 0, "alpha": 0.05, "allowed": 0.1, "doc": "A red bus is still a bus."}
JUDGED |= {"bias_doc": "Is grey enough?"}
HOSTILE = "x | y\n---\n`z` <script>alert(1)</script> [a](http://b) **c** \"d\" 'e' \\ : {f} #g \u202ereversed \x1b[31m"
NAMES = [
    HOSTILE,
    "---",
    'a"\n  results: []\nevil: true',
    "key: value",
    "- item",
    "!!python/object:os.system",
    "&anchor *alias",
    "null",
    "1.0",
    "\ud800",
    "",
    "模型 🎈",
    "%TAG",
]


def failing(test="test_grey", **changes):
    judged = {"status": "fail", "reason": "20 of 20 violate", "rate": 1 / 3, "rate_low": 0.25, "rate_high": 0.5}
    return verdict(test, **JUDGED | judged | changes)


def passing(test="test_hue", metric="mlm", **changes):
    return verdict(test, metric, **JUDGED | {"rate": 0.00001, "rate_low": 0.0, "rate_high": 0.09} | changes)


def favourite(**changes):
    judged = {"n": 30, "alpha": 0.05, "effect": -0.4, "effect_low": -0.5, "effect_high": -0.3, "status": "fail"}
    return mean(metric="itm", bias="position", score_kind="match-head", **judged | changes)


def card_of(*verdicts, **changes):
    return card(results(*((one, rows(GOOD)) for one in verdicts), **changes))


def limits(text):
    return text.partition("### Limits\n\n")[2]


def test_a_test_that_is_invalid_or_was_not_asked_does_not_pass_on_the_hub():
    hollow = (passing(f"test_{n}", status=one, reason="why") for n, one in enumerate(("invalid", "not asked")))
    (figure,) = ModelCard(card_of(passing(), *hollow, name="mine")).data.eval_results
    assert (figure.metric_name, figure.metric_value) == ("color: 1 of 3 tests passes", 0.333)


def test_the_hub_finds_how_many_tests_of_each_bias_pass():
    few = failing("test_c", status="inconclusive")
    data = ModelCard(card_of(failing(), few, passing(), favourite(), name="mine", data="coco:/data/coco:50")).data
    assert data.model_name == "mine"
    found = {(one.task_type, one.metric_type, one.metric_name, one.metric_value) for one in data.eval_results}
    assert found == {
        ("fill-mask", "pass-rate", "color: 1 of 3 tests passes", 0.333),
        ("image-text-matching", "pass-rate", "position: 0 of 1 tests pass", 0.0),
    }
    assert {(one.dataset_type, one.dataset_name) for one in data.eval_results} == {("coco", "coco")}


def test_the_hub_writes_again_what_it_read():
    text = card_of(failing(), passing(), favourite(), images=50, seed=3)
    again = ModelCard(str(ModelCard(text)))
    assert again.data.eval_results == ModelCard(text).data.eval_results
    assert {one.dataset_config for one in again.data.eval_results} == {"50 images a test at most, seed 3"}


def test_a_verdict_without_a_figure_is_no_result_and_is_a_limit():
    text = card_of(verdict(status="invalid", reason="scores of 3 of 20 cases are not finite", **JUDGED))
    assert yaml.safe_load(text.split("---\n")[1]) == {"model-index": [{"name": "mine", "results": []}]}
    assert "- Invalid, the answers, or the data, say nothing: 1 of 1 test.\n  - a (mlm): scores of 3" in text
    assert "- Nothing passed." in text


def test_a_verdict_that_depends_on_the_wording_is_marked_and_is_a_limit_with_the_status_in_each():
    others = [
        {"wording": "second", "status": "fail", "reason": ""},
        {"wording": "third", "status": "pass", "reason": ""},
    ]
    text = card_of(passing(wordings=others), passing("test_grey"), wordings=["usual", "second", "third"])
    assert "| color | Is grey enough? | pass (depends on the wording) |" in text
    assert (
        "- 1 verdict depends on the wording of the question: test\\_hue mlm (pass; fail and pass in others). The first"
        " status is the verdict.\n- Wordings: 1 usual; 2 second; 3 third.\n" in limits(text)
    )


def test_what_was_not_asked_is_no_result_and_is_a_limit_with_its_count():
    few = {
        "n": 3,
        "rate": 0.0,
        "rate_low": 0.0,
        "rate_high": 0.6,
        "allowed": 0.1,
        "reason": "3 images; a pass needs 29",
    }
    text = card_of(passing(), verdict("test_sides", **JUDGED | few | {"status": "not asked", "bias": "position"}))
    assert [one.metric_value for one in ModelCard(text).data.eval_results] == [1.0]
    assert "**Passes 1 of 2 biases: color. Nothing was asked about the others.**" in text
    assert "\n| position | Is grey enough? | not asked | - |\n" in text
    assert "- Not asked, no model could pass on these images, and they show no fail: 1 of 2 tests.\n" in limits(text)
    assert "\n  - sides (mlm): 3 images" in limits(text)


def test_the_section_is_a_sentence_the_matrix_what_fails_and_what_was_asked():
    versions = {"vlcheck": "0.1.0"}
    verdicts = [failing(), passing(), favourite()]
    text = card_of(*verdicts, data="coco:/data/coco", versions=versions, started="2026-02-03T04:05:06+00:00", images=50)
    found = conclude(results(*((one, []) for one in verdicts)))
    assert f"**{found.sentence}** {found.counts}\n" in text
    assert "page for reviewers" not in text  # who reads a card has no results to draw it from
    for line in (
        "| bias | asks | mlm | itm |",
        "| color | Is grey enough? | fail | - |",
        "| position |  | - | fail |",
        "- color: grey: violations mlm 33.3 %; 10 % allowed",
        "- position: m: mean itm -0.400; -0.15 to 0.15 allowed",
        "Model: mine, fingerprint f. Scores: mlm masked-lm, itm match-head. Data: coco, 50 images a test at most,"
        " 20 to 30 that count, by test. Asked on 03 February 2026, 04:05 UTC, by vlcheck 0.1.0.",
    ):
        assert f"\n{line}\n" in text
    assert "hue" not in text


def test_it_links_to_the_page_and_no_address_ends_the_link():
    address = 'https://example.org/a page/r.html#x)<b>"]'
    assert "[The page for reviewers](<https://example.org/a%20page/r.html#x%29%3Cb%3E%22%5D>) has" in card(
        results((failing(), rows(BAD))), page=address
    )


def test_each_test_that_fails_links_to_its_verdict():
    test = "behavior_tests/test_robustness.py::test_crop_preserves[mlm]"
    text = card(results(({**failing("test_crop_preserves"), "test": test}, rows(BAD))), page="r.html")
    assert "[crop\\_preserves](<r.html#crop-preserves-mlm>): violations mlm 33.3 %; 10 % allowed\n" in text


def test_the_card_of_the_whole_suite_is_short():
    """72 tests of six biases under two metrics, of which ten fail and two are invalid."""
    of_each = [(bias, metric, number) for bias in BIASES for metric in ("mlm", "itm") for number in range(6)]
    named = [{"test": f"test_{bias}_{number}", "metric": metric, "bias": bias} for bias, metric, number in of_each]
    fails = [failing(**one) for one in named if one["bias"] == "position" and one["test"][-1] != "5"]
    passes = [passing(**one) for one in named if one["bias"] != "position"]
    unclear = [passing("test_x", metric, bias="position", status="invalid", reason=metric) for metric in ("mlm", "itm")]
    whole = results(*((one, rows(GOOD)) for one in [*fails, *passes, *unclear]), images=50, seed=0, complete=True)
    text = card(whole, page="https://example.org/report.html")
    head, body = text.removeprefix("---\n").split("\n---\n")
    assert 15 <= head.count("\n") <= 25  # docs/howto/reports.md: some 20
    assert 30 <= body.count("\n") <= 45  # and some 40
    assert len(ModelCard(text).data.eval_results) == 2 * len(BIASES)
    assert max(len(one.metric_name) for one in ModelCard(text).data.eval_results) < 40


def test_a_card_of_many_failures_and_reasons_stays_short():
    many = [failing(f"test_{number}") for number in range(40)]
    unclear = [verdict(f"test_x{n}", status="invalid", reason=f"why {n % 20}", **JUDGED) for n in range(120)]
    lines = card_of(*many, *unclear).splitlines()
    assert len(lines) <= 60
    assert "- and 30 more" in lines
    assert "  - and 15 more" in lines
    assert "  - x0 (mlm), x20 (mlm), x40 (mlm), x60 (mlm), x80 (mlm) and 1 more: why 0" in lines


def test_a_command_in_a_note_is_set_as_code():
    found = results((failing(), rows(BAD)), contract={"tried": False, "broken": []})
    assert ": `vlcheck models check` tells whether its answers can be relied on.\n" in limits(card(found))


def test_the_limits_are_plain():
    known = {"reason": "mended in the next release", "until": "2027-01-31", "expired": False}
    inconclusive = verdict(
        "test_few", status="inconclusive", reason="3 of 20 violate", **JUDGED | {"not_applicable": 4}
    )
    text = limits(card_of(failing(known=known), passing(), inconclusive, complete=False))
    for limit in (
        "- A pass means at most the allowed share of violations (10 %), at alpha 0.05: not none.",
        "- The pictures are drawn scenes: nothing here says how the model does on photographs.",
        "- Inconclusive, too few images to tell: 1 of 3 tests.\n  - few (mlm): 3 of 20 violate",
        "- Known biases, which the policy accepts until a date:\n"
        "  - grey (mlm): until 2027-01-31: mended in the next release",
        "- No test was run on modality, position, order, place, robustness.",
        "- Nothing was asked with itm (whether picture and text match): no test was run with it.",
        "- Not the whole suite was asked: tests were left out of this run.",
        "- Summed over the tests, 4 cases did not count",
    ):
        assert limit in text
    assert "drawn" not in limits(card_of(passing(), data="coco:/data/coco"))
    assert "left out of this run" not in limits(card_of(passing(), complete=True))


def test_a_known_bias_is_marked_until_it_is_expired():
    known = {"reason": "mended soon", "until": "2027-01-31", "expired": False}
    text = card_of(failing(known=known))
    assert "| fail (known) |" in text
    assert "- color: grey: violations mlm 33.3 % (known); 10 % allowed" in text
    expired = card_of(failing(known=known | {"expired": True}))
    assert "(known)" not in expired
    assert "expired on 2027-01-31: mended soon" in expired


def test_an_entry_of_a_known_bias_is_said_once_with_all_its_tests():
    known = {"reason": "mended soon", "until": "2027-01-31", "expired": False}
    other = known | {"reason": "issue 8"}
    told = limits(card_of(failing(known=known), passing(known=known), failing("test_b", known=other)))
    assert "  - grey (mlm), hue (mlm, pass this time): until 2027-01-31: mended soon\n" in told
    assert "  - b (mlm): until 2027-01-31: issue 8\n" in told
    assert told.count("mended soon") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_a_name_and_no_metadata(name):
    text = card_of(failing(), name=name, data=name)
    data = ModelCard(text).data
    assert data.model_name == name.replace("\ud800", "\ufffd")
    assert set(data.to_dict()) == {"model-index"}
    assert len(data.eval_results) == 1
    text.encode("utf-8")


def test_hostile_texts_are_texts_in_the_section():
    known = {"reason": HOSTILE, "until": HOSTILE, "expired": False}
    hostile = failing(HOSTILE, doc=HOSTILE, bias=HOSTILE, score_kind=HOSTILE, known=known)
    text = card_of(
        hostile, verdict("test_b", status="invalid", reason=HOSTILE, **JUDGED), started=HOSTILE, data=HOSTILE
    )
    body = text.split("\n---\n", 1)[1]
    assert "<" not in body
    assert "http://" not in body
    assert not re.search(r"(?<!\\)[`\[]", body)
    assert not {"\u202e", "\x1b", "\r"} & set(text)
    table = [line for line in body.splitlines() if line.startswith("|") and "still" not in line]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {5}
    assert "\n---\n" not in body


def test_nothing_else_is_counted_than_a_run_says(tmp_path):
    path = tmp_path / "results.jsonl"
    write_results(path, results((failing(), rows(BAD)), (passing(), rows(GOOD))))
    done = run("card", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == card(results((failing(), rows(BAD)), (passing(), rows(GOOD))))


def test_typed_it_writes_a_file_that_was_not_there(tmp_path):
    path, to = tmp_path / "results.jsonl", tmp_path / "card.md"
    write_results(path, results((failing(), rows(BAD))))
    assert run("card", path, f"--to={to}").returncode == 0
    assert ModelCard.load(to).data.eval_results[0].metric_value == 0.0
    linked = run("card", path, "--page=https://example.org/r.html").stdout
    assert "(<https://example.org/r.html>)" in linked
    for wrong in ("javascript:alert(1)", "a b", "file:///etc"):
        refused = run("card", path, f"--page={wrong}")
        assert (refused.returncode, f"--page {wrong}: is no address to link to" in refused.stderr) == (4, True)
    again = run("card", path, f"--to={to}")
    assert (again.returncode, "is there already" in again.stderr) == (4, True)
    (tmp_path / "link.md").symlink_to("new.md")
    assert run("card", path, f"--to={tmp_path}/link.md").returncode == 0
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "new.md").read_text() == to.read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), ("", "holds no run"), ("{}", "no line of a results file")],
)
def test_a_file_that_holds_no_results_is_named(tmp_path, content, said):
    path = tmp_path / "results.jsonl"
    if content is not None:
        path.write_text(content)
    done = run("card", path)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (4, True, False), done.stderr


def test_what_words_alone_tell_stands_in_a_table_of_its_own():
    known = WordKnowledgeRecord("color", "cloze", 74, 0, 0.5, 0.38, 0.62, 0.12, 0.09, known=True)
    said = card(results((failing(), rows(GOOD))), [WordsRecord("a|b", "1", (known,))])
    assert "### Words alone: a\\|b" in said
    assert "Words alone tell color: a score about these may come from the words." in said
    assert "| color | cloze | 74 | 0 | 0.50 | \\[0.38, 0.62\\] | 0.12 | 0.09 | yes |" in said
    assert said.startswith(card_of(failing()))
