"""What the power matrix makes of verdicts, and the verdicts that it gets."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import product

import pytest
from typer.testing import CliRunner

from tests.warm_python import warm_python
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import with_target
from vlcheck.cli import app
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.outcomes import Findings
from vlcheck.expect.base import WHOLE, Sample
from vlcheck.expect.directional import Swaps
from vlcheck.policy.policy import Rule
from vlcheck.stats.verdict import Verdict
from vlcheck.studies.power import Examined, PowerMatrix, as_json, caught_at, from_json, matrix_rows, shares_of_seeds

PLANTED = {"tiny": frozenset(), "tiny-color": frozenset({"color"})}


def examined(variant, bias, seeds, together, caught_at=None, behavior="test_it", metric="mlm"):
    verdict = partial(Verdict, reason="as planted")
    return Examined(
        variant=variant,
        bias=bias,
        behavior=behavior,
        metric=metric,
        seeds=tuple(verdict(status=status) for status in seeds.split()),
        together=verdict(status=together),
        caught_at=caught_at,
    )


CLEAN = [examined("tiny", bias, "pass pass", "pass") for bias in ("color", "order")]
CAUGHT = [
    examined("tiny-color", "color", "pass pass", "pass", metric="itm"),
    examined("tiny-color", "color", "fail fail", "fail", 30),
    examined("tiny-color", "order", "pass invalid", "invalid"),
]


def amiss(*rows):
    return list(PowerMatrix(40, tuple(rows)).amiss(PLANTED))


def test_a_matrix_as_it_should_be_has_nothing_amiss():
    assert amiss(*CLEAN, *CAUGHT) == []


def test_the_table_says_in_how_many_seeds_and_from_how_many_images_on():
    assert list(matrix_rows(PowerMatrix(40, (*CLEAN, *CAUGHT)))) == [
        ["variant", "color", "order"],
        ["tiny", "pass", "pass"],
        ["tiny-color", "fail 2/2, n = 30", "pass in 1 of 2 seeds, invalid in 1"],
    ]


def test_a_cell_whose_seeds_end_otherwise_says_in_how_many():
    mixed = examined("tiny", "color", "pass inconclusive pass fail", "pass")
    (_, row) = matrix_rows(PowerMatrix(40, (mixed,)))
    assert row == ["tiny", "pass in 2 of 4 seeds, inconclusive in 1, fail in 1"]


def test_green_is_a_seed_in_which_everything_passes():
    rows = [
        examined("tiny", "color", "pass inconclusive pass", "pass"),
        examined("tiny", "order", "fail pass pass", "fail"),
    ]
    assert PowerMatrix(40, tuple(rows)).green("tiny") == 1


def test_a_planted_bias_that_one_seed_misses_is_amiss():
    missed = examined("tiny-color", "color", "fail pass", "fail")
    assert amiss(*CLEAN, missed, CAUGHT[2]) == ["tiny-color: color is planted, and caught in 1 of 2 seeds"]


def test_a_planted_bias_that_nothing_tests_is_amiss():
    (line,) = amiss(examined("tiny-color", "order", "pass", "pass"))
    assert line == "tiny-color: color is planted, and nothing tests it"


def test_invalid_is_not_caught():
    hollow = examined("tiny-color", "color", "invalid invalid", "invalid")
    assert amiss(hollow) == ["tiny-color: color is planted, and caught in 0 of 2 seeds"]


def test_one_fail_that_is_not_planted_is_amiss_wherever_it_is():
    (line,) = amiss(*CAUGHT[:2], examined("tiny-color", "order", "pass fail", "pass"))
    assert line == "tiny-color: order: test_it[mlm] fails in seed 1: as planted"


@pytest.mark.parametrize(("variant", "status"), [*product(PLANTED, ["invalid", "inconclusive", "fail"])])
def test_over_all_images_the_control_passes_and_a_variant_may_be_invalid(variant, status):
    planted = CAUGHT[:2] if PLANTED[variant] else []
    found = amiss(*planted, examined(variant, "order", "pass pass", status))
    assert bool(found) == (variant == "tiny" or status != "invalid")


def test_seeds_are_counted_by_cell_whichever_test_fails():
    rows = [
        examined("tiny-color", "color", "fail pass", "fail"),
        examined("tiny-color", "color", "pass fail", "fail", behavior="test_other"),
    ]
    assert PowerMatrix(40, tuple(rows)).failing("tiny-color", "color") == 2
    assert amiss(*rows) == []


def test_what_is_written_of_a_matrix_is_read_again():
    matrix = PowerMatrix(40, (*CLEAN, *CAUGHT))
    again = from_json(as_json(matrix))
    assert (again.images, again.seeds("tiny")) == (40, 2)
    assert list(matrix_rows(again)) == list(matrix_rows(matrix))
    assert list(again.amiss(PLANTED)) == list(matrix.amiss(PLANTED))


def found(margins):
    """Findings on as many scenes, where a case without a margin does not apply."""
    behavior = Behavior(name="test_it", bias="position", doc="", cases=with_target("side"), expect=Swaps())
    cases = open_source(f"scenes:{len(margins)}").select(behavior.cases)
    aside = NotApplicable("not this one")
    findings = [
        Finding(
            Sample(case, {}), {} if margin is None else {WHOLE: margin}, aside if margin is None else None, 0.1, True
        )
        for case, margin in zip(cases, margins, strict=True)
    ]
    return Findings(behavior, tuple(findings))


@pytest.mark.parametrize(
    ("margins", "at"),
    [
        ([-1.0] * 60, 5),
        ([1.0] * 10 + [-1.0] * 50, 15),
        ([None] * 30 + [-1.0] * 10, 40),  # few count, and only all that were asked about fail
        ([1.0] * 60, None),
    ],
)
def test_a_bias_is_caught_where_every_seed_fails_by_images_asked_about(margins, at):
    assert caught_at([found(margins), found([-1.0] * len(margins))], Rule()) == at


@pytest.mark.parametrize(
    ("variants", "seeds", "jobs", "most"),
    [(7, 5, 2, 18), (7, 1, 1, 7), (7, 1, 4, 2), (2, 1, 8, 1), (7, 4, 2, 14), (1, 3, 2, 2)],
)
def test_processes_have_equal_shares_and_most_seeds_are_rendered_once(variants, seeds, jobs, most):
    names = [str(number) for number in range(variants)]
    shares = list(shares_of_seeds(names, seeds, jobs))
    assert sorted((seed, name) for seed, own in shares for name in own) == sorted(product(range(seeds), names))
    assert sum(len(own) == variants for _, own in shares) >= seeds - seeds % jobs
    spent = [0] * jobs
    for _, own in shares:  # a process takes the next one when it is done with another
        spent[spent.index(min(spent))] += len(own)
    assert max(spent) == most


SUITE = """
from vlcheck.cases import with_target
from vlcheck.expect import Swaps
from vlcheck.perturb import Mirror
from vlcheck import behavior

BIAS = "position"


@behavior(cases=with_target("side"), perturb=Mirror(), expect=Swaps(), metrics=("itm",))
def test_mirror_swaps_sides(verdict):
    assert verdict.passed
"""


KILLS = """
import multiprocessing
import os
import signal

if multiprocessing.parent_process():
    os.kill(os.getpid(), signal.SIGKILL)
"""


# A process that asks says so.
TELLS = """
import multiprocessing
from pathlib import Path

if multiprocessing.parent_process():
    Path("asking").touch()
"""


MATRIX = ("zoo", "matrix", "--suite", "suite", "--images", "40")


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_position.py").write_text(SUITE)


@pytest.fixture
def ask(suite, tmp_path):
    def run(*arguments):
        command = [warm_python().command, "-m", "vlcheck.cli", *MATRIX, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.mark.power
def test_the_command_asks_and_writes_what_it_found(ask, tmp_path):
    done = ask("--variant", "tiny", "--variant", "tiny-mirror", "--seeds", "2", "--to", "found.json")
    assert done.returncode == 0, done.stdout + done.stderr
    head, control, planted = (line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (head, planted) == (["variant", "position"], ["tiny-mirror", "fail 2/2, n = 5"])
    assert (control[0], "pass" in control[1], "fail" in control[1]) == ("tiny", True, False)
    clean, mirrored = from_json((tmp_path / "found.json").read_text()).tested
    assert sum(verdict.violations for verdict in clean.seeds) <= 2
    assert [verdict.violations for verdict in mirrored.seeds] == [40, 40]
    assert mirrored.together.n == 80


@pytest.mark.power
def test_a_process_that_is_killed_is_named(ask, tmp_path):
    (tmp_path / "suite" / "conftest.py").write_text(KILLS)
    done = ask("--variant", "tiny", "--seeds", "1", "--jobs", "1")
    assert done.returncode == 4
    assert "--jobs 1: a process was killed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.power
def test_what_another_run_of_pytest_is_told_selects_nothing(ask, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k jpeg")
    done = ask("--variant", "tiny-mirror", "--seeds", "1")
    assert done.stdout.split() == ["variant", "position", "tiny-mirror", "fail", "1/1,", "n", "=", "5"]


@pytest.mark.power
def test_the_command_ends_with_1_where_a_planted_bias_goes_untested(ask):
    done = ask("--variant", "tiny-color", "--seeds", "1")
    assert done.returncode == 1
    assert "tiny-color: color is planted, and nothing tests it" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--variant", "tiny-colour"], "Did you mean 'tiny-color'?"),
        (["--to", "none/found.json"], "--to none/found.json: there is no folder none"),
        (["--to", "suite"], "--to suite: is no file that a matrix could be written to"),
        (["--to", "mine.json"], "--to mine.json: is there and is no matrix of vlcheck's"),
        (["--suite", "none"], "none"),
        (
            ["--images", "20"],
            "--images 20: test_mirror_swaps_sides[itm] cannot pass, and is not asked unless it fails: 20",
        ),
    ],
)
def test_the_command_names_what_it_cannot_use_before_it_asks(suite, tmp_path, monkeypatch, arguments, said):
    """In this process, as no other one is begun."""
    (tmp_path / "mine.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*MATRIX, *arguments])
    assert done.exit_code == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.power
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["from-a-parent", "in-the-terminal"])
def test_an_interrupt_ends_every_process_at_once_and_without_a_traceback(ask, tmp_path, send):
    (tmp_path / "suite" / "conftest.py").write_text(TELLS)
    command = [sys.executable, "-m", "vlcheck.cli", "zoo", "matrix", "--suite", "suite", "--jobs", "2"]
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs begin deaf to it
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heeds
    ) as running:
        while not (tmp_path / "asking").exists():
            assert running.poll() is None
            time.sleep(0.1)
        send(running.pid, signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "Traceback" not in said
    assert ends(running.pid)


def ends(group):
    """Whether its last process is gone within seconds."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
