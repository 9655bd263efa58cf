"""Where the data has too few images for a test, it is skipped and counted; nothing green comes out of that alone."""

import json
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

pytestmark = pytest.mark.slow

RARE = """
    from vlcheck.cases import with_target
    from vlcheck.expect import Preserved
    from vlcheck.perturb import Mirror
    from vlcheck import behavior

    BIAS = "order"

    @behavior(cases=with_target("rare"), perturb=Mirror(), expect=Preserved(), metrics=("mlm", "itm"))
    def test_mirror_preserves(verdict):
        assert verdict.passed
"""
LOST = """
import os
from tests.doubles import Competent
from vlcheck import open_cases


class Lost(Competent):
    def _truth(self, seen, template):
        return None if seen.mirrored else super()._truth(seen, template)


def factory(device, dtype):
    return Lost(open_cases(os.environ["VLCHECK_TEST_DATA"]).cases, name="Lost", fingerprint="lost")
"""
OTHERS = 'required = ["color"]\n'
SHUT = "The policy requires a pass or a fail of order, and there is none."
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])


def tag(project, rare):
    """Let the first so many of the project's cases be what the rare test is about."""
    path = project.folder / "data" / "cases.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["tags"] = ["object", "rare"] if number < rare else ["object"]
    path.write_text("\n".join(map(json.dumps, lines)))


@pytest.fixture
def rare(project):
    """The project with another bias, of which 12 of its 40 images say something."""
    tag(project, 12)
    project.pytester.makepyfile(test_rare=RARE)
    return project


@pytest.fixture
def held(rare):
    """Run it under a policy."""

    def run(policy, *arguments, **options):
        (rare.folder / "policy.toml").write_text(policy)
        return rare.run("--vl-policy=policy.toml", *arguments, **options)

    return run


def statuses(project, behavior="test_mirror_preserves"):
    return {line["status"] for line in project.results("verdict") if line["behavior"] == behavior}


@WORKERS
def test_what_has_too_few_images_is_skipped_with_the_count_and_does_not_shut_the_gate(rare, held, workers):
    result = held(OTHERS, "-rs", *workers, subprocess=bool(workers))
    result.assert_outcomes(passed=4, skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "order *not asked *not asked",
            "Not asked (in order): no model could pass on these images.",
            "SKIPPED * not asked: 12 images; a pass needs 29",
            "Passes 1 of 2 biases: color. Nothing was asked about the others. Of 6 verdicts, 4 pass, 2 are not asked.",
        ]
    )
    (header,) = rare.results("run")
    assert (header["exit_status"], header["required"], header["unjudged"]) == (0, ["color"], [])


@WORKERS
def test_a_required_bias_that_nothing_decides_shuts_the_gate_in_one_sentence(rare, workers):
    result = rare.run(*workers, subprocess=bool(workers))
    result.assert_outcomes(passed=4, skipped=2)
    assert result.ret == 1
    assert f"color. Nothing was asked about the others. {SHUT} Of 6 verdicts" in result.stdout.str()
    (header,) = rare.results("run")
    assert (header["exit_status"], header["required"]) == (1, ["color", "order"])


def test_one_test_that_passes_is_enough_for_its_bias(rare):
    states = rare.folder / "test_states.py"
    states.write_text(states.read_text().replace('BIAS = "color"', 'BIAS = "order"'))
    result = rare.run()
    result.assert_outcomes(passed=4, skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["order *pass (1 not asked) *pass (1 not asked)", "Passes 1 bias in what was asked: order.*"]
    )


def test_a_known_bias_that_fails_is_decided(held):
    known = '[[known]]\nbias = "color"\nreason = "issue 7"\nuntil = 2999-12-31\n'
    result = held('required = ["color"]\n' + known, "-k", "grayscale", model="loves_color")
    result.assert_outcomes(xfailed=2)
    assert result.ret == 0


@pytest.mark.parametrize(("consequence", "outcome"), [("fail", "failed"), ("xfail", "xfailed"), ("skip", "skipped")])
@pytest.mark.parametrize("table", ["on", "biases.order", "behaviors.test_mirror_preserves"])
def test_the_policy_says_what_it_does_to_its_test(rare, held, table, consequence, outcome):
    result = held(f'{OTHERS}[{table}]\nnot_asked = "{consequence}"\n')
    result.assert_outcomes(passed=4, **{outcome: 2})
    assert result.ret == (1 if consequence == "fail" else 0)
    assert statuses(rare) == {"not asked"}
    assert ("12 images; a pass needs 29" in result.stdout.str()) is (consequence == "fail")


def test_too_few_images_that_fail_are_a_fail(rare):
    (rare.folder / "mine.py").write_text(LOST)
    result = rare.run(f"--vl-model={rare.folder}/mine.py:factory", model="")
    result.assert_outcomes(passed=4, failed=2)
    assert statuses(rare) == {"fail"}
    assert "Fails 1 of 2 biases: order." in result.stdout.str()


@pytest.mark.parametrize("model", ["constant", "not_a_number", "raises", "miscounts"])
@pytest.mark.parametrize("policy", [OTHERS, "required = []\n"])
def test_a_broken_model_is_never_green_where_there_are_few_images(rare, held, model, policy):
    result = held(policy, model=model, subprocess=True)
    result.assert_outcomes(failed=6)
    assert result.ret == 1
    assert {line["status"] for line in rare.results("verdict")} == {"invalid"}


def test_nothing_required_and_nothing_asked_is_not_green(held):
    result = held("required = []\n", "test_rare.py")
    result.assert_outcomes(skipped=2)
    assert result.ret == 1
    assert "Nothing was decided: this run says nothing about the model." in result.stdout.str()


def test_an_edit_that_turns_out_to_change_nothing_is_the_datas_lack_not_the_models(rare, held):
    """Grey photographs are told when they are drawn: all 40 can be asked, and 28 of these say nothing in grey."""
    for number in range(12, 40):
        path = rare.folder / "data" / f"{number}.png"
        with Image.open(path) as image:
            image.convert("L").convert("RGB").save(path)
    held("required = []\n", "-k", "grayscale")
    (reason,) = {line["reason"] for line in rare.results("verdict")}
    assert statuses(rare, "test_grayscale_preserves") == {"not asked"}
    assert reason == "12 images; a pass needs 29"


def test_a_sequential_run_goes_by_its_own_bound_and_by_all_that_is_offered(rare, held):
    tag(rare, 35)
    result = held(OTHERS, "-rs", "--vl-sequential", "test_rare.py", "test_states.py")
    assert statuses(rare) == {"not asked"}
    result.stdout.fnmatch_lines(["SKIPPED * not asked: 28 images; a pass needs 40"])
    held(OTHERS)
    assert statuses(rare) == {"pass"}


def test_what_a_part_of_the_tests_selects_is_what_is_required(rare, held):
    assert rare.run("-k", "states").ret == 0
    assert rare.run("test_states.py").ret == 0
    assert rare.results("run")[0]["required"] == ["color"]
    policy = 'required = ["color", "order", "place"]\n'
    assert held(policy, "test_states.py").ret == 0
    assert held(policy, "test_rare.py", "test_states.py").ret == 1
    result = held('required = ["order"]\n', "test_rare.py::test_mirror_preserves")
    assert result.ret == 1
    assert SHUT in result.stdout.str()


@pytest.mark.parametrize("arguments", [(), ("--vl-plan",), ("-k", "states")], ids=["a run", "a plan", "a part of it"])
def test_a_required_bias_that_no_test_has_ends_the_run_before_it_begins(held, arguments):
    result = held('required = ["colour"]\n', *arguments, model="raises")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "policy.toml: required: 'colour' is a bias of no test; there are color, order" in result.stderr.str()


@pytest.mark.parametrize("said", ["7", '"color"', "[7]", "[[known]]", "true"])
def test_what_is_required_has_to_be_a_list_of_biases(held, said):
    result = held("[[required]]\n" if said == "[[known]]" else f"required = {said}\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "policy.toml: required: " in result.stderr.str()
    assert 'has to be a list of biases, e.g. ["color", "position"]' in result.stderr.str()


def test_a_suite_of_ones_own_biases_alone_needs_no_policy(project):
    states = project.folder / "test_states.py"
    states.write_text(states.read_text().replace('BIAS = "color"', 'BIAS = "mine"'))
    assert project.run().ret == 0
    assert project.results("run")[0]["required"] == []


def test_a_required_bias_whose_answers_say_nothing_shuts_the_gate_though_its_tests_are_skipped(rare, held):
    tag(rare, 40)
    result = held('required = ["color", "order"]\n[biases.order]\ndelta = 1.0\ninvalid = "skip"\n')
    result.assert_outcomes(passed=4, skipped=2)
    assert statuses(rare) == {"invalid"}
    assert result.ret == 1
    assert SHUT in result.stdout.str()


def test_what_the_release_before_decided_and_is_not_asked_now_is_lost(rare, held):
    tag(rare, 40)
    assert held(OTHERS, "--vl-results=old.jsonl").ret == 0
    assert statuses_in(rare, "old.jsonl") == {"pass"}
    assert held(OTHERS, "--vl-baseline=old.jsonl").ret == 0
    tag(rare, 12)
    result = held(OTHERS, "--vl-baseline=old.jsonl")
    result.assert_outcomes(passed=4, skipped=2)
    assert result.ret == 1
    text = result.stdout.str()
    assert "2 not comparable, not asked in the new run: 12 images; a pass needs 29: test_mirror_preserves" in text
    assert "no longer decided: order (2 tests)" in text
    assert "No verdict on what the release before decided: order." in text


def statuses_in(project, path):
    return {line["status"] for line in project.results("verdict", path)}


def test_what_is_not_asked_is_neither_excused_nor_gone(rare, held):
    known = '[[known]]\n{}\nreason = "issue 7"\nuntil = 2999-12-31\n'
    for subject in ('bias = "order"', 'behavior = "test_mirror_preserves"'):
        result = held(OTHERS + known.format(subject))
        result.assert_outcomes(passed=4, skipped=2)
        assert result.ret == 0
        assert "no longer shows" not in result.stdout.str()


def test_reports_of_other_tools_have_the_status_and_the_reason(rare, held, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(rare.folder / "summary.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = held(OTHERS, "--junit-xml=junit.xml", "--html=list.html", "--self-contained-html", subprocess=True)
    assert result.ret == 0
    assert "::error" not in result.stdout.str()
    cases = ElementTree.parse(rare.folder / "junit.xml").iter("testcase")  # noqa: S314 - pytest's own
    (mlm,) = (case for case in cases if case.get("name") == "test_mirror_preserves[mlm]")
    said = {one.get("name"): one.get("value") for one in mlm.iter("property")}
    assert (said["vlcheck_status"], said["vlcheck_n"]) == ("not asked", "12")
    assert mlm.find("skipped").get("message") == "not asked: 12 images; a pass needs 29"
    assert "not asked: 12 images; a pass needs 29" in (rare.folder / "list.html").read_text()
    summary = (rare.folder / "summary.md").read_text()
    assert "| order | not asked | not asked |" in summary
    assert "Passes 1 of 2 biases: color. Nothing was asked about the others." in summary


def test_a_plan_says_what_will_not_be_asked_and_what_that_shuts(rare):
    text = rare.run("--vl-plan").stdout.str()
    assert re.search(r"  12 +detects a rate of 41 %\n", text)
    assert "2 tests (order 2) cannot pass, and are not asked unless they fail: 12 images, a pass needs 29" in text
    assert "the policy requires biases of which no test can pass: order" in text
    tag(rare, 1)
    assert re.search(r"  0 +nothing: no case that can be asked", rare.run("--vl-plan").stdout.str())
    tag(rare, 29)
    assert "not asked" not in rare.run("--vl-plan").stdout.str()


def test_a_case_that_cannot_be_edited_is_not_counted_by_the_plan(rare):
    states = rare.folder / "test_rare.py"
    states.write_text(states.read_text().replace("Mirror()", "Bare()").replace("Mirror", "Bare"))
    path = rare.folder / "data" / "cases.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["bare"] = None
    path.write_text("\n".join(json.dumps({key: v for key, v in line.items() if v is not None}) for line in lines))
    assert "0  nothing: no case that can be asked" in rare.run("--vl-plan", "test_rare.py").stdout.str()


def test_a_tag_that_nothing_has_is_named_at_the_start_and_at_the_end_of_the_run(rare):
    states = rare.folder / "test_rare.py"
    states.write_text(states.read_text().replace('with_target("rare")', 'with_target("rae")'))
    result = rare.run()
    result.assert_outcomes(passed=4, skipped=2)
    strange = "no case has the tag 'rae' (did you mean 'rare'?)"
    said = result.stdout.str()
    assert f"2 tests (order 2) cannot pass, and are not asked: 0 images ({strange}), a pass needs 29" in said
    reason = f"the data has no case for it (rae): {strange}; a pass needs 29"
    assert f"Not asked: test_mirror_preserves ({reason})." in said.splitlines()
