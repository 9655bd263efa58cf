"""What is wrong is said by option, file and line; nothing green comes out of nothing."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.plugin.conftest import ROOT, write_cases
from vlcheck.results.parts import gather

pytestmark = pytest.mark.slow

USAGE = pytest.ExitCode.USAGE_ERROR
# A folder in place of the results file, as soon as the run has begun to judge.
LEAVES_NO_ROOM = """
import os


def pytest_runtest_teardown():
    os.makedirs("vlcheck-results.jsonl", exist_ok=True)
"""


def complaint(result):
    """What a usage error says; never with a traceback."""
    assert result.ret == USAGE
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    return result.stderr.str()


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ('("itn",)', "there is no metric 'itn'. Did you mean 'itm'?"),
        ('"itm"', "metrics='itm' has to name one or more of mlm, itm"),
        ("()", "metrics=() has to name one or more"),
    ],
)
def test_a_metric_that_there_is_not_is_no_skipped_test(project, metrics, said):
    path = project.folder / "test_states.py"
    stated = path.read_text()
    path.write_text(re.sub(r"metrics=\(.*?\)", f"metrics={metrics}", stated, count=1))
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert said in result.stdout.str()


def test_no_model(project):
    assert "--vl-model is missing" in complaint(project.run(model=""))


def test_no_data(project):
    project.data = ""
    assert "--vl-data is missing" in complaint(project.run())


def test_the_ini_files_scenes_are_for_the_zoo_alone(project):
    project.data = ""
    project.pytester.makeini("[pytest]\nvl_data = scenes:5")
    message = complaint(project.run())
    assert "--vl-data is missing" in message
    assert "tiny-mirror" in message
    assert "say --vl-data scenes:5" in message


def test_a_conftest_may_set_an_option(project):
    data, project.data = project.data, ""
    project.pytester.makeconftest(f"def pytest_configure(config):\n    config.option.vl_data = {data!r}\n")
    assert project.run("--vl-plan", subprocess=True).ret == 0


def test_a_misspelt_variant_is_told_its_name(project):
    project.data = ""
    project.pytester.makeini("[pytest]\nvl_data = scenes:5")
    assert "Did you mean 'tiny-color'?" in complaint(project.run("--vl-model=tiny-colour", model=""))


def test_the_ini_files_variant_is_for_scenes_alone(project):
    project.pytester.makeini("[pytest]\nvl_model = tiny")
    message = complaint(project.run(model=""))
    assert "--vl-model is missing" in message
    assert "say --vl-model tiny" in message
    assert project.run("--vl-plan", "--vl-model=tiny", model="", subprocess=True).ret == 0


def test_scenes_that_are_asked_for_are_for_any_model(project):
    project.data = "scenes:5"
    project.pytester.makeini("[pytest]\nvl_data = scenes:7")
    assert project.run("--vl-plan").ret == 0


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("albeff:model.pth", "albef"),
        ("albef:absent.pth", "absent.pth"),
        ("nothing", "albef:"),
        ("nobodys.module:factory", "nobodys"),
        (f"{ROOT}/tests/doubles.py:competant", "competent"),
        ("absent.py:factory", "absent.py"),
    ],
)
def test_a_model_that_is_not_there(project, spec, said):
    message = complaint(project.run(f"--vl-model={spec}", model=""))
    assert "--vl-model" in message
    assert said in message


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--vl-batch-size=0", "--vl-batch-size 0"),
        ("--vl-batch-size=many", "--vl-batch-size many"),
        ("--vl-results=absent/results.jsonl", "--vl-results"),
        ("--vl-results=data", "is no file"),
        ("--vl-results=/dev/null", "is no file"),
        ("--vl-store=test_states.py", "not a vlcheck store"),
        ("--vl-policy=absent.toml", "--vl-policy"),
        ("--vl-data=cocoa:data", "coco:ROOT"),
        ("--vl-data=scenes:0", "has to be from 1 to 100000"),
        ("--vl-data=scenes:100001", "has to be from 1 to 100000"),
        (f"--vl-data=scenes:{'9' * 5000}", "has to be from 1 to 100000"),
        (f"--vl-data=scenes:9:{'9' * 5000}", "SEED has 5000 digits"),
        ("--vl-data=scenes:-3", "N, images a behavior, from 1 on"),
        ("--vl-data=jsonl:absent.jsonl", "absent.jsonl"),
        ("--vl-data=jsonl:~nobody-here/x", "no home folder is known for ~nobody-here"),
        ("--vl-results=~nobody-here/x", "--vl-results ~nobody-here/x: no home folder is known for ~nobody-here"),
        ("--html=~nobody-here/x", "--html ~nobody-here/x: no home folder is known for ~nobody-here"),
        ("--vl-data=coco:data", "annotations"),
        ("--vl-lexicons=absent", "absent"),
        ("--vl-dtype=float33", "float33"),
        ("--vl-device=abacus", "abacus"),
        ("--vl-store=data", "--vl-store"),
    ],
)
def test_an_option_that_cannot_be_used(project, option, said):
    assert said in complaint(project.run(option))


def test_an_unknown_policy_key_names_the_nearest(project):
    (project.folder / "policy.toml").write_text("[defaults]\nalowed = 0.2\n")
    message = complaint(project.run("--vl-policy=policy.toml"))
    assert "policy.toml: defaults.alowed" in message
    assert "'allowed'" in message


def change(project, **fields):
    path = project.folder / "data" / "cases.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[2] = {name: value for name, value in (lines[2] | fields).items() if value is not None}
    path.write_text("\n".join(map(json.dumps, lines)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"caption": None}, "caption: is missing"),
        ({"image": "../../etc/passwd"}, "climbs out"),
        ({"image": "/etc/passwd"}, "climbs out"),
        ({"target": "zebra"}, "not a word of the caption"),
        ({"caption": "a bus beside a bus", "target": "bus"}, "2 times"),
        ({"captoin": "x"}, "'caption'"),
        ({"tags": "object"}, "tags"),
        ({"region": [[1, 2, 3]]}, "region"),
        ({"candidates": ["bus"]}, "is the target"),
        ({"caption": "a bus " + "x" * 2000}, "caption: has 2006 characters; at most 2000 are accepted"),
        ({"image": "\ud800.png"}, "it has to be a text"),
        ({"tags": ["object", "\udfff"]}, "it has to be a list of texts"),
        ({"region": [[0, 0, 10**400, 5]]}, "is no box"),
    ],
)
def test_a_line_that_is_no_case_is_named(project, fields, said):
    change(project, **fields)
    message = complaint(project.run(model="competent"))
    assert "cases.jsonl:3: " in message
    assert said in message


def test_a_line_that_is_not_json_is_named(project):
    path = project.folder / "data" / "cases.jsonl"
    path.write_text(path.read_text().replace('{"image": "1.png"', '{"image" "1.png"'))
    assert "cases.jsonl:2: is not JSON" in complaint(project.run())


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"no picture"], ids=["empty", "cut short", "text"])
def test_a_file_that_is_no_picture_is_named(project, content):
    (project.folder / "data" / "3.png").write_bytes(content)
    message = complaint(project.run(model="hashes"))
    assert "3.png" in message


def test_a_picture_that_does_not_decode_to_its_end_fails_its_tests(project):
    path = project.folder / "data" / "2.jpg"
    Image.open(path.with_suffix(".png")).save(path)
    path.write_bytes(path.read_bytes()[:-300])
    change(project, image="2.jpg")
    result = project.run("-k", "grayscale and mlm", model="hashes")
    result.assert_outcomes(failed=1)
    assert "1 of 40 cases could not be scored" in result.stdout.str()
    assert "2.jpg: not a picture that decodes" in result.stdout.str()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("not_a_number", "scores of 40 of 40 cases are not finite"),
        ("constant", "whatever the picture and the text"),
        ("raises", "RuntimeError: out of cheese"),
        ("miscounts", "scores for"),
    ],
)
def test_a_broken_model_is_invalid_and_says_why(project, model, reason):
    result = project.run(model=model)
    assert result.ret == 1
    result.assert_outcomes(failed=4)
    assert {line["status"] for line in project.results("verdict")} == {"invalid"}
    assert all(reason in line["reason"] for line in project.results("verdict"))


def test_a_test_that_forgets_to_assert_its_verdict_is_no_pass(project):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "pass"))
    result = project.run("-k", "grayscale", model="loves_color")
    result.assert_outcomes(failed=2)
    assert "40 of 40 violate" in result.stdout.str()
    assert "add `assert verdict.passed`" in result.stdout.str()
    project.run("-k", "grayscale").assert_outcomes(passed=2)


def test_a_test_that_breaks_after_its_verdict_passed_says_how(project):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "assert verdict.passed; {}['absent']", 1))
    result = project.run("-k", "grayscale and mlm")
    result.stdout.fnmatch_lines(["FAILED *test_grayscale_preserves[[]mlm[]] - KeyError: 'absent'"])


def test_results_replace_nothing_but_results(project):
    cases = project.folder / "data" / "cases.jsonl"
    before = cases.read_bytes()
    assert "is there and is no results file of vlcheck's" in complaint(project.run("--vl-results=data/cases.jsonl"))
    assert cases.read_bytes() == before
    (project.folder / "empty.jsonl").touch()
    for _ in range(2):
        project.run("-k", "grayscale", "--vl-results=empty.jsonl").assert_outcomes(passed=2)


def test_results_beside_are_of_the_same_data(project):
    project.run("-k", "grayscale", "--vl-results=other.jsonl")
    write_cases(project.folder / "more", 3)
    message = complaint(project.run("--vl-beside=other.jsonl", f"--vl-data=jsonl:{project.folder}/more/cases.jsonl"))
    assert "--vl-beside" in message
    assert f"results of jsonl:{project.folder}/more/cases.jsonl are accepted" in message
    assert "cannot be read" in complaint(project.run("--vl-beside=absent.jsonl"))
    assert "not JSON" in complaint(project.run("--vl-beside=test_states.py"))


@pytest.mark.parametrize("option", ["--vl-store", "--html", "--junitxml", "--vl-beside"])
def test_results_replace_no_file_of_another_option(project, option):
    message = complaint(project.run("--vl-results=kept", f"{option}=kept"))
    assert f"--vl-results {project.folder / 'kept'}: is what {option} names as well" in message


def test_results_that_can_go_nowhere_are_kept(project):
    (project.folder / "conftest.py").write_text(LEAVES_NO_ROOM)
    result = project.run("-k", "grayscale")
    assert result.ret == USAGE
    (folder,) = re.findall(r"The results are kept in (\S+), in parts", result.stdout.str())
    assert len(gather(Path(folder)).verdicts) == 2
    shutil.rmtree(folder)


def test_a_link_to_a_results_file_is_followed(project):
    (project.folder / "kept").mkdir()
    (project.folder / "latest.jsonl").symlink_to(project.folder / "kept" / "one.jsonl")
    project.run("--vl-results=latest.jsonl")
    assert (project.folder / "latest.jsonl").is_symlink()
    assert len(project.results("verdict", "kept/one.jsonl")) == 4


def test_a_store_that_is_not_ours_has_no_lock_put_beside_it(project):
    project.run("--vl-store=test_states.py")
    assert not (project.folder / "test_states.py.lock").exists()


def test_what_a_model_says_of_itself_is_escaped_and_cut(project):
    result = project.run("-k", "grayscale and mlm", model="shouts")
    (verdict,) = project.results("verdict")
    assert "\\x1b[31mred" in verdict["reason"]
    assert len(verdict["reason"]) < 400
    assert "\x1b[31mred" not in result.stdout.str()


@pytest.mark.parametrize("model", ["empties_its_questions", "encodes_nothing"])
def test_a_model_that_breaks_its_own_questions_is_invalid(project, model):
    project.run(model=model).assert_outcomes(failed=4)
    assert {line["status"] for line in project.results("verdict")} == {"invalid"}


def test_a_model_without_numbers_leaves_a_results_file_without_them(project):
    project.run(model="not_a_number").assert_outcomes(failed=4)
    assert len(project.results("verdict")) == 4
    rows = project.results("evidence")
    assert len(rows) == 160
    assert {row["before"] for row in rows} == {None}
    assert {score for row in rows for scores in row["scores"] for score in scores.values()} == {None}


def test_a_text_that_the_perturbation_leaves_as_it_was_is_no_evidence(project):
    lines = [json.loads(line) for line in (project.folder / "data" / "cases.jsonl").read_text().splitlines()]
    for line in lines:
        line["bare"] = line["caption"].replace(line["target"], "[MASK]")
    (project.folder / "data" / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
    project.pytester.makepyfile(
        test_states="""
        from vlcheck.cases import with_target
        from vlcheck.expect import Preserved
        from vlcheck.perturb import Bare
        from vlcheck import behavior

        BIAS = "modality"

        @behavior(cases=with_target("object"), perturb=Bare(), expect=Preserved(), metrics=("mlm", "itm"))
        def test_vision_alone_preserves(verdict):
            assert verdict.passed
        """
    )
    project.run().assert_outcomes(skipped=2)
    said = "no case applies: 40 x the perturbation changed nothing; a pass needs 29"
    assert {line["reason"] for line in project.results("verdict")} == {said}


def test_a_model_that_ignores_the_picture_passes_nothing(project):
    project.run(model="reads_only").assert_outcomes(failed=4)
    assert "pass" not in {line["status"] for line in project.results("verdict")}


def test_a_behavior_without_a_case_is_not_asked_and_a_run_of_such_is_not_green(project):
    change(project)
    path = project.folder / "data" / "cases.jsonl"
    path.write_text(path.read_text().replace('["object"]', '["person"]'))
    result = project.run()
    result.assert_outcomes(skipped=4)
    assert result.ret == 1
    said = "the data has no case for it (object); a pass needs 29"
    assert {line["reason"] for line in project.results("verdict")} == {said}


def test_too_few_cases_are_named_before_anything_is_scored_and_do_not_pass(project):
    path = project.folder / "data" / "cases.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:28]))
    result = project.run()
    result.assert_outcomes(skipped=4)
    assert result.ret == 1
    assert {line["status"] for line in project.results("verdict")} == {"not asked"}
    text = result.stdout.str()
    named = "4 tests (color 4) cannot pass, and are not asked unless they fail: 28 images, a pass needs 29"
    assert text.index(named) < text.index("no test can pass: color") < text.index("scoring:")
    assert "Nothing was decided: this run says nothing about the model. Of 4 verdicts, 4 are not asked." in text


def test_everything_deselected_is_not_green(project):
    assert project.run("-k", "nothing_of_this_name").ret != 0


def test_everything_skipped_is_not_green(project):
    result = project.run("-k", "mlm", model="matches_only")
    result.assert_outcomes(skipped=2, deselected=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["No verdict came of this run: nothing was checked."])


def test_a_head_that_a_model_lacks_is_skipped_with_its_reason(project):
    result = project.run("-rs", model="matches_only")
    result.assert_outcomes(passed=2, skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*MatchesOnly has no mlm*"])


def test_a_policy_may_downgrade_the_undecided_but_never_to_passed(project):
    (project.folder / "policy.toml").write_text('[on]\ninvalid = "xfail"\n')
    result = project.run("--vl-policy=policy.toml", model="constant")
    result.assert_outcomes(xfailed=4)
    assert {line["status"] for line in project.results("verdict")} == {"invalid"}


@pytest.mark.parametrize("consequence", ["skip", "xfail"])
def test_a_run_that_decides_nothing_is_not_green_whatever_the_policy(project, consequence):
    (project.folder / "policy.toml").write_text(f'[on]\ninvalid = "{consequence}"\n')
    result = project.run("--vl-policy=policy.toml", model="constant")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["Nothing was decided. 4 of 4 verdicts are invalid: the model knows next to nothing.*"])


def test_a_test_file_that_names_no_bias_is_told_to(project):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("BIAS = ", "BIASED = "))
    assert "names no bias" in complaint(project.run())


def test_workers_say_what_is_wrong_in_their_tests(project):
    result = project.run("-n2", "--vl-model=albeff:model.pth", model="", subprocess=True)
    assert result.ret == 1
    result.assert_outcomes(errors=4)
    assert "Did you mean 'albef'" in result.stdout.str()


def test_an_interrupt_ends_the_run_as_pytest_does(project):
    result = project.run(model="interrupted", subprocess=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--vl-store=data", "--vl-store *data: this is not a vlcheck store"),
        ("--vl-beside=nothing.jsonl", "--vl-control: does not go with --vl-beside"),
    ],
)
def test_options_that_cannot_be_used_end_a_run_with_workers_before_these_start(project, option, said):
    result = project.run(option, "--vl-control=tiny", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])
