"""Known biases are expected failures until their date; entries that are gone, overdue or undecided are reported."""

import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from tests.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck.policy.policy import Known
from vlcheck.stats.decision import Cause
from vlcheck.stats.verdict import invalid

pytestmark = pytest.mark.slow

PASSED, EXPIRED = "2999-12-31", "2001-01-31"
AT_THE_TURN_OF_A_DAY = """
from datetime import UTC, datetime

import pytest
from vlcheck.plugin.run import RUN


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.stash[RUN].process.started = datetime.fromisoformat("{}")
"""
KNOWN_GREY = 'behavior = "test_grayscale_preserves"'


INVALID_TOO = 'bias = "color"\ninvalid = true'


def entry(subject=KNOWN_GREY, until=PASSED):
    return f'[[known]]\n{subject}\nreason = "captions name colors"\nuntil = {until}\n'


@pytest.fixture
def held(project):
    """Run the project under a policy."""

    def run(policy, *arguments, **options):
        (project.folder / "policy.toml").write_text(policy)
        return project.run("--vl-policy=policy.toml", *arguments, **options)

    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_known_bias_is_expected_and_the_run_says_that_there_is_one(project, held, workers):
    result = held(entry(), "-rx", *workers, model="loves_color", subprocess=bool(workers))
    assert result.ret == 0
    result.assert_outcomes(passed=2, xfailed=2)
    result.stdout.fnmatch_lines(["XFAIL *test_grayscale_preserves* known until 2999-12-31: captions name colors*"])
    result.stdout.fnmatch_lines(
        [
            "color*fail (known)*fail (known)",
            "test_grayscale_preserves*fail (known)*40*",
            "Fails 1 of 1 bias: color (known, excused until 2999-12-31). Nothing else is held against it."
            " Of 4 verdicts, 2 fail, 2 pass; 2 of what fails are known.",
        ]
    )
    known = {line["behavior"]: line["known"] for line in project.results("verdict")}
    said = {"reason": "captions name colors", "until": "2999-12-31", "expired": False}
    assert known == {"test_grayscale_preserves": said, "test_another_image_drops": None}


def test_names_and_reasons_do_not_steer_the_terminal(project, held):
    states = project.folder / "test_states.py"
    states.write_text(states.read_text().replace('BIAS = "color"', 'BIAS = "col\\x1b[2Jor\\u202e"'))
    policy = f'[[known]]\n{KNOWN_GREY}\nmetric = "itm"\nreason = "a\\u001b[31m\\u202eb"\nuntil = {PASSED}\n'
    result = held(policy, "-rA", "--color=no", model="loves_color")
    result.assert_outcomes(passed=2, xfailed=1, failed=1)
    shown = result.stdout.str()
    assert not {"\x1b", "\u202e"} & set(shown)
    assert "Fails 1 of 1 bias: col\\x1b[2Jor\\u202e." in shown
    assert "known until 2999-12-31: a\\x1b[31m\\u202eb" in shown


def test_a_bias_that_is_known_under_one_metric_still_fails_under_the_other(held):
    result = held(entry(f'{KNOWN_GREY}\nmetric = "itm"'), model="loves_color")
    result.assert_outcomes(passed=2, xfailed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "color*fail*fail (known)",
            "Fails 1 of 1 bias: color. Of 4 verdicts, 2 fail, 2 pass; 1 of what fails is known.",
        ]
    )


@pytest.mark.parametrize("strict", ["true", "false"])
@pytest.mark.parametrize("until", [PASSED, EXPIRED])
def test_a_known_bias_that_is_gone_has_to_be_removed_whatever_the_ini_file_says(project, held, strict, until):
    project.pytester.makeini(f"[pytest]\nstrict = {strict}\nstrict_xfail = {strict}")
    result = held(entry(until=until), "-k", "mlm")
    result.assert_outcomes(passed=1, failed=1)
    said = '*the known bias no longer shows (captions name colors): remove known[[]1[]] (behavior "test_grayscale*'
    result.stdout.fnmatch_lines([said])
    assert "policy.toml" in result.stdout.str()
    assert [line["status"] for line in project.results("verdict")] == ["pass", "pass"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_known_bias_of_a_whole_bias_need_not_show_in_each_of_its_tests(held, workers):
    result = held(entry('bias = "color"'), *workers, model="loves_color", subprocess=True)
    result.assert_outcomes(xfailed=2, passed=2)
    assert result.ret == 0


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_known_bias_of_a_whole_bias_that_shows_nowhere_has_to_be_removed(project, held, workers):
    result = held(entry('bias = "color"'), *workers, subprocess=True)
    result.assert_outcomes(passed=4)
    assert result.ret == 1
    said = (
        '*the known bias no longer shows (captions name colors): remove known[[]1[]] (bias "color") from *policy.toml'
    )
    result.stdout.fnmatch_lines([said])
    assert project.results("run")[0]["exit_status"] == 1


@pytest.mark.parametrize(
    "part",
    [("-k", "another"), ("test_states.py",), ("-p", "cacheprovider", "--lf")],
    ids=["deselected", "a file", "failed last"],
)
def test_that_a_part_of_the_tests_does_not_show_a_whole_bias_says_nothing(held, part):
    result = held(entry('bias = "color"'), *part)
    assert result.ret == 0
    assert "no longer shows" not in result.stdout.str()


def test_that_a_run_was_stopped_says_nothing_of_a_whole_bias(held):
    result = held(entry('bias = "color"'), model="interrupted", subprocess=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "no longer shows" not in result.stdout.str()


def test_an_expired_entry_excuses_nothing_and_says_so(project, held):
    result = held(entry(until=EXPIRED), "-k", "grayscale and mlm", model="loves_color")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "the known bias expired on 2001-01-31 (captions name colors): mend it, or renew known[[]1[]] (behavior*",
            "*Fails 1 of 1 bias: color. Of 1 verdict, 1 fails.",
        ]
    )
    assert project.results("verdict")[0]["known"]["expired"] is True


@pytest.mark.parametrize(
    ("started", "outcome"),
    [("2027-01-31T23:59:59+00:00", "xfailed"), ("2027-02-01T00:00:00+00:00", "failed")],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "a worker"])
def test_its_day_is_told_by_the_runs_start_in_every_process(project, held, started, outcome, workers):
    (project.folder / "conftest.py").write_text(AT_THE_TURN_OF_A_DAY.format(started))
    result = held(
        entry(until="2027-01-31"), "-k", "grayscale and mlm", *workers, model="loves_color", subprocess=bool(workers)
    )
    result.assert_outcomes(**{outcome: 1})
    assert project.results("run")[0]["started"] == started


def test_what_a_known_bias_makes_invalid_is_excused_where_the_entry_says_so(project, held):
    result = held(entry(INVALID_TOO), "-rx", model="hashes")
    result.assert_outcomes(xfailed=4)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "color*fail (known)*fail (known)",
            "test_grayscale_preserves*invalid: knows too few cases (known, excused)*",
            "XFAIL *test_grayscale_preserves* - invalid, known until 2999-12-31: captions name colors",
            "Fails 1 of 1 bias: color (known, excused until 2999-12-31). Nothing else is held against it."
            " Of 4 verdicts, 2 fail, 2 are invalid; 2 of what fails are known; 2 of what is invalid are known, and"
            " excused.",
        ]
    )
    kept = {line["status"]: (line["cause"], line["known"]["invalid"]) for line in project.results("verdict")}
    assert kept == {"fail": ("", True), "invalid": ("unknown", True)}


def test_without_that_key_it_stays_red_and_says_which_key_would_excuse_it(held):
    result = held(entry('bias = "color"'), model="hashes")
    result.assert_outcomes(xfailed=2, failed=2)
    assert result.ret == 1
    said = 'known[[]1[]] (bias "color") in *policy.toml excuses a fail alone; `invalid = true` excuses this, too'
    result.stdout.fnmatch_lines(
        [
            said,
            "Fails 1 of 1 bias: color (known, excused until 2999-12-31). Kept red by test_grayscale_preserves[[]*",
        ]
    )


def test_where_that_expires_it_says_so_and_where_nothing_is_invalid_any_more_it_is_to_be_removed(held):
    result = held(entry(INVALID_TOO, until=EXPIRED), "-k", "grayscale and mlm", model="hashes")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the known bias expired on 2001-01-31*"])
    result = held(entry(INVALID_TOO), model="loves_color", subprocess=True)
    result.assert_outcomes(xfailed=2, passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(['*is invalid any more: remove `invalid = true` of known[[]1[]] (bias "color") from *'])


@pytest.mark.parametrize("cause", get_args(Cause))
def test_only_what_a_bias_can_bring_about_is_excused_as_invalid(cause):
    known = Known(path=Path("p.toml"), number=1, bias="color", reason="r", until=date(2999, 1, 1), invalid=True)
    assert known.excuses(invalid("a reason", cause)) == (cause in ("unknown", "unlikely"))
    assert not replace(known, invalid=False).excuses(invalid("a reason", cause))
    assert not replace(known, expired=True).excuses(invalid("a reason", cause))


@pytest.mark.slow
def test_tiny_mirror_is_green_under_its_bias_where_what_is_invalid_is_excused_and_red_where_it_is_not(tmp_path):
    """Both runs ask the same scores: the second one reads them from the store."""
    tests = ["behavior_tests/test_position.py", "-k", "mirror_and_swapped_words or true_side_beats"]
    where = [f"--vl-{name}={tmp_path / name}" for name in ("store", "policy", "results")]
    asks = ["--vl-model=tiny-mirror", "--vl-data=scenes:40", *where, "-p", "no:cacheprovider"]
    ended = {}
    for key in ("invalid = true", ""):
        (tmp_path / "policy").write_text(entry('bias = "position"') + key)
        command = [warm_python().command, "-m", "pytest", *tests, *asks]
        ended[key] = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert [(run.returncode, run.stdout.splitlines()[-2].strip("= ").split(" in ")[0]) for run in ended.values()] == [
        (0, "1 passed, 16 deselected, 3 xfailed"),
        (1, "1 failed, 1 passed, 16 deselected, 2 xfailed"),
    ]
    assert "invalid: knows too few cases (known, excused)" in ended["invalid = true"].stdout


@pytest.mark.parametrize("model", ["not_a_number", "constant"])
def test_what_is_no_sound_answer_is_excused_by_no_entry(project, held, model):
    held(entry(INVALID_TOO), model=model).assert_outcomes(failed=4)
    assert {line["status"] for line in project.results("verdict")} == {"invalid"}


@pytest.mark.parametrize("model", ["not_a_number", "constant"])
def test_an_invalid_verdict_is_excused_by_no_entry(project, held, model):
    held(entry('bias = "color"'), model=model).assert_outcomes(failed=4)
    assert {line["status"] for line in project.results("verdict")} == {"invalid"}


def test_an_inconclusive_verdict_is_excused_by_no_entry(project, held):
    held("[defaults]\nallowed = 0\n" + entry('bias = "color"')).assert_outcomes(failed=4)
    assert {line["status"] for line in project.results("verdict")} == {"inconclusive"}


def test_what_an_undecided_verdict_does_is_said_by_bias_and_behavior(held):
    result = held(
        """
        [biases.color]
        invalid = "skip"
        [behaviors.test_grayscale_preserves]
        invalid = "xfail"
        """,
        model="constant",
    )
    result.assert_outcomes(skipped=2, xfailed=2)
    assert result.ret == 1


def test_an_error_beside_a_known_bias_stays_one(project, held):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "{}['absent']"))
    held(entry(), "-k", "grayscale", model="loves_color").assert_outcomes(failed=2)


def test_what_else_is_asserted_is_not_excused_by_a_bias_that_is_gone(project, held):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "assert verdict.passed; assert 1 == 2"))
    held(entry(), "-k", "grayscale").assert_outcomes(failed=2)


def test_a_test_that_forgets_to_assert_a_known_bias_is_told(project, held):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "pass"))
    result = held(entry(), "-k", "grayscale", model="loves_color")
    result.assert_outcomes(failed=2)
    assert "add `assert verdict.passed`" in result.stdout.str()


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (entry('behavior = "test_grayscale_preserve"'), 'known[1] (behavior "test_grayscale_preserve"): matches no'),
        ("[biases.colour]\nby = 0.1", "biases.colour: matches no test. Did you mean 'color'?"),
        ("[behaviors.test_grey]\nby = 0.1", "behaviors.test_grey: matches no test"),
        (entry(f'{KNOWN_GREY}\nmetric = "mrc"'), "Its metrics are itm, mlm."),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("-k", "another_image"), ("--vl-plan",), (".",)])
def test_an_entry_about_no_test_ends_the_run_before_it_begins(held, policy, said, arguments):
    result = held(policy, *arguments, model="raises")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-policy" in result.stderr.str()
    assert said in result.stderr.str()


def test_an_entry_about_no_test_fails_the_tests_of_workers(held):
    result = held("[biases.colour]\nby = 0.1", "-n", "2", subprocess=True)
    result.assert_outcomes(errors=4)
    assert "biases.colour: matches no test. Did you mean 'color'?" in result.stdout.str()


@pytest.mark.parametrize(
    "part",
    [
        ("test_states.py",),
        ("test_states.py::test_grayscale_preserves",),
        ("--ignore=other",),
        ("--deselect=other",),
        ("-p", "cacheprovider", "--lf"),
    ],
    ids=" ".join,
)
def test_where_a_part_is_collected_entries_may_be_about_the_rest(held, part):
    result = held(entry('bias = "order"') + "[behaviors.test_elsewhere]\nby = 0.1", *part, "-k", "grayscale and mlm")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("testpaths", "named", "refused"),
    [
        ("", (), True),
        ("", ("checks",), True),  # nothing says that there is more
        ("checks more", (), True),
        ("checks more", ("more", "checks"), True),
        ("*", (".",), True),
        ("checks more", ("checks",), False),
        ("checks more", ("checks/deep",), False),
        ("checks own", ("checks",), True),  # the project's own tests state nothing
        ("more", ("checks",), True),  # which the testpaths say nothing of
    ],
)
def test_a_folder_is_all_there_is_where_the_testpaths_name_no_more(project, held, testpaths, named, refused):
    for folder, line in (
        ("checks/deep", ""),
        ("more", "from vlcheck import behavior"),
        ("own", "import vlcheck"),
    ):
        (project.folder / folder).mkdir(parents=True)
        (project.folder / folder / f"test_{folder[0]}.py").write_text(line)
    (project.folder / "test_states.py").rename(project.folder / "checks" / "deep" / "test_states.py")
    project.pytester.makeini(f"[pytest]\ntestpaths = {testpaths}")
    result = held("[behaviors.test_elsewhere]\nby = 0.1", "--vl-plan", *named)
    assert (result.ret == pytest.ExitCode.USAGE_ERROR) is refused
    assert ("behaviors.test_elsewhere: matches no test" in result.stderr.str()) is refused


def test_two_entries_about_one_test_are_both_named_also_where_a_part_is_collected(held):
    result = held(entry() + entry('bias = "color"'), "test_states.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert 'test_grayscale_preserves[mlm] is in known[2] (bias "color") as well' in result.stderr.str()


def test_a_plain_test_asks_without_excuse(project, held):
    project.pytester.makeconftest('pytest_plugins = ["fixtures.model"]')
    project.pytester.makepyfile(
        test_plain="""
        from vlcheck.behaviors.behavior import Behavior
        from vlcheck.cases import with_target
        from vlcheck.expect import Preserved
        from vlcheck.perturb import Grayscale

        def test_greys(model):
            grey = Behavior(
                name="grey", bias="color", cases=with_target("object"), perturb=Grayscale(), expect=Preserved()
            )
            assert model.judge(grey, "itm").passed
        """
    )
    result = held(entry('bias = "color"'), "test_plain.py", model="loves_color", subprocess=True)
    result.assert_outcomes(failed=1)
    assert project.results("verdict")[0]["known"] is None
