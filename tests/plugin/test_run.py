"""A run as a user sees it: what passes, what is written, what the terminal says."""

import json
import re
import sys
from html import unescape

import pytest

from vlcheck.models.tried import keep


def test_a_competent_model_passes(project):
    result = project.run("-v")
    assert result.ret == 0
    result.assert_outcomes(passed=4)
    assert [line["status"] for line in project.results("verdict")] == ["pass"] * 4


def test_the_metric_is_the_id_of_the_parameter(project):
    result = project.run("-k", "itm and grayscale")
    result.assert_outcomes(passed=1, deselected=3)
    (verdict,) = project.results("verdict")
    assert verdict["test"].endswith("test_grayscale_preserves[itm]")


def test_a_biased_model_fails_with_counts_interval_and_three_worst_cases(project):
    result = project.run(model="loves_color")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=2)
    text = result.stdout.str()
    assert re.search(r"fail: 40 of 40 violate \(100 %, from 92\.8 to 100 %\); 10 % is allowed", text)
    assert len(re.findall(r"^  case .*, margin -0\.\d+$", text, re.MULTILINE)) == 6
    assert "a [MASK] on the grass" in text


def test_a_worst_case_shows_the_target_first_and_four_other_words_at_most(project):
    text = project.run("-k", "grayscale and mlm", "--html=report.html", model="loves_color").stdout.str()
    assert re.search(r"^    before 0\.9231 \((\w+) 0\.9000(, \w+ 0\.0250){3}\)  'number", text, re.MULTILINE)
    assert re.search(r"^    after  0\.2500 \((\w+) 0\.0250(, \w+ 0\.0250){3}\)  same text", text, re.MULTILINE)
    page = (project.folder / "report.html").read_text()
    assert "after: 0.2500 (" in page


def test_the_short_summary_says_why(project):
    result = project.run("-k", "grayscale and mlm", model="loves_color")
    result.stdout.fnmatch_lines(["FAILED *test_grayscale_preserves[[]mlm[]] - fail: 40 of 40 violate*"])


def test_the_terminal_ends_with_matrix_verdicts_and_conclusion(project):
    result = project.run(model="loves_color")
    result.stdout.fnmatch_lines(
        [
            "LovesColor on jsonl:*",
            "bias*mlm*itm",
            "color*fail*fail",
            "*test*verdict*interval*allowed*p (Holm)",
            "results: *vlcheck-results.jsonl",
            "* 2 failed, 2 passed in *",
            "Fails 1 of 1 bias: color. Of 4 verdicts, 2 fail, 2 pass.",
        ]
    )


def test_the_end_says_that_the_contract_was_never_tried_or_is_broken(project, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    page = project.folder / "report.html"

    def ends(said: str, contract: dict[str, object]) -> None:
        result = project.run("-k", "grayscale and mlm", "--vl-report=report.html")
        assert result.ret == 0
        assert [result.stdout.str().count(said), page.read_text().count(said)] == [1, 1]
        assert project.results("run")[0]["contract"] == contract

    ends("The contract was not tried on this model", {"tried": False, "broken": []})
    keep("competent-1", ["itm: the same asked again"])
    broken = "The model breaks the contract (vlcheck models check): itm: the same asked again."
    ends(broken, {"tried": True, "broken": ["itm: the same asked again"]})
    keep("competent-1", [])
    assert "models check" not in project.run("-k", "grayscale and mlm").stdout.str()


def test_results_hold_run_verdicts_evidence_and_pictures(project):
    project.run()
    (run,) = project.results("run")
    assert run["schema"] == 1
    assert run["fingerprint"] == "competent-1"
    assert set(run["versions"]) >= {"vlcheck", "torch", "python"}
    rows = [row for row in project.results("evidence") if "grayscale" in row["test"] and row["metric"] == "mlm"]
    assert len(rows) == 40
    assert all(row["margin"] == pytest.approx(0.1) for row in rows)
    pictures = {line["key"]: line for line in project.results("image")}
    assert {row["image"] for row in rows} | {row["perturbed"] for row in rows} <= set(pictures)
    assert len(pictures) == 80


def test_pictures_stay_out_of_the_results_where_they_are_private(project):
    project.run("--vl-no-images")
    assert len(project.results("verdict")) == 4
    assert project.results("image") == []


def test_pictures_come_and_go_with_the_option_also_over_a_kept_store(project):
    store = "--vl-store=scores.sqlite"
    project.run(store, "--vl-no-images")
    project.run(store)
    assert len(project.results("image")) == 80
    assert all(line["jpeg"] for line in project.results("image"))
    project.run(store, "--vl-no-images", "--html=report.html", "--self-contained-html", model="loves_color")
    assert "image/jpeg" not in (project.folder / "report.html").read_text()


def test_junit_carries_the_figures_flat(project):
    project.run("--junitxml=report.xml", "-k", "grayscale and mlm", model="loves_color")
    xml = (project.folder / "report.xml").read_text()
    assert '<property name="vlcheck_status" value="fail"' in xml
    assert '<property name="vlcheck_violations" value="40"' in xml
    assert 'name="vlcheck_allowed" value="0.1"' in xml
    assert "vlcheck_band" not in xml
    assert "{" not in "".join(re.findall("<property .*?>", xml))


def test_html_rows_of_failing_tests_carry_three_pairs_of_pictures(project):
    project.run("--html=report.html", "--self-contained-html", model="loves_color")
    page = (project.folder / "report.html").read_text()
    assert page.count("data:image/jpeg;base64") == 2 * 3 * 2


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_the_page_names_model_bias_and_each_verdict(project, workers):
    project.run("--html=report.html", "--self-contained-html", *workers, model="loves_color", subprocess=True)
    page = unescape(unescape((project.folder / "report.html").read_text()))
    assert "LovesColor on jsonl:" in page
    assert "Fails 1 of 1 bias: color. Of 4 verdicts, 2 fail, 2 pass." in page
    assert len(re.findall(r'col-verdict\\?">pass: 0 of 40 violate', page)) == 2
    assert "A red bus is still a bus." in page
    assert "expected: the score stays" in page
    assert re.search(r"true: (dog|cat|bus|cow)", page)


def test_another_runs_verdicts_stand_beside_and_scores_of_another_kind_are_told(project):
    project.run("-k", "grayscale", "--vl-results=other.jsonl", model="compares")
    text = project.run("-k", "grayscale", "--vl-beside=other.jsonl", model="loves_color").stdout.str()
    assert "LovesColor on jsonl:" in text
    assert "(mlm masked-lm, itm match-head)" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("test_grayscale_preserves")]
    assert [(row[1], row[4], row[-1]) for row in rows] == [("mlm", "1.000", "0.000"), ("itm", "1.000", "0.000")]
    assert [row[-2] for row in rows] == ["pass", "pass"]
    said = "Scores of Compares are not compared under itm: they are of kind contrastive, not match-head"
    assert f"{said}; its verdicts and shares of images are shown" in text


def test_what_another_run_was_not_asked_is_said(project):
    project.run("-k", "grayscale", "--vl-results=other.jsonl", model="matches_only")
    text = project.run("-k", "grayscale", "--vl-beside=other.jsonl").stdout.str()
    assert "MatchesOnly is not compared under mlm: it was asked none of these tests" in text
    assert "not compared under itm" not in text


def test_the_page_of_another_project_has_no_column_of_ours(project):
    (project.folder / "test_other.py").write_text("def test_it(): pass")
    project.pytester.runpytest_subprocess("test_other.py", "--html=report.html", "--self-contained-html")
    assert "verdict" not in (project.folder / "report.html").read_text().casefold()


def test_hostile_captions_are_escaped_in_html(project):
    lines = (project.folder / "data" / "cases.jsonl").read_text().splitlines()
    hostile = [json.loads(line) for line in lines]
    for i, line in enumerate(hostile):
        line["caption"] = f"{i} <script>alert(1)</script> a {line['target']}"
    (project.folder / "data" / "cases.jsonl").write_text("\n".join(map(json.dumps, hostile)))
    project.run("--html=report.html", "--self-contained-html", model="loves_color")
    page = (project.folder / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page or "&amp;lt;script" in page


def test_collect_only_scores_nothing_and_writes_nothing(project):
    result = project.run("--collect-only", "-q", model="raises")
    assert result.ret == 0
    assert not (project.folder / "vlcheck-results.jsonl").exists()


def test_a_run_of_other_tests_is_left_alone(project):
    project.pytester.makepyfile(test_other="def test_other(): assert True")
    result = project.pytester.runpytest_inprocess("test_other.py")
    assert result.ret == 0
    assert "vlcheck" not in result.stdout.str().partition("collected")[2]


def test_a_plain_test_can_ask_the_model(project):
    project.pytester.makeconftest('pytest_plugins = ["fixtures.model"]')
    project.pytester.makepyfile(
        test_states="""
        from vlcheck.behaviors.behavior import Behavior
        from vlcheck.cases import with_target
        from vlcheck.expect import Preserved
        from vlcheck.perturb import Mirror

        def test_scores(model, cases, policy):
            chosen = cases.select(with_target("object"))
            assert model.score(chosen[0], "mlm") == 0.9 / (0.9 + 3 * 0.1 / 4)
            mirrored = Behavior(
                name="mirrored", bias="position", cases=with_target("object"), perturb=Mirror(), expect=Preserved()
            )
            assert model.judge(mirrored, "itm").passed
            assert policy.of("mirrored", "position").rule.allowed == 0.1
        """
    )
    result = project.run(subprocess=True)
    result.assert_outcomes(passed=1)
    (verdict,) = project.results("verdict")
    assert (verdict["behavior"], verdict["status"]) == ("mirrored", "pass")


def test_the_plugin_is_light(project):
    heavy = ("torch", "transformers", "timm", "scipy", "numpy", "PIL")
    code = f"import sys, vlcheck.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    assert project.pytester.run(sys.executable, "-c", code).stdout.lines == ["[]"]
