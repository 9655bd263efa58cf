"""Every command of the README and of docs/ is run as it stands, and what their prose names is there."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.main import get_command

import vlcheck
from tests.conftest import ROOT
from tests.documents import DOCS, FENCE, FILES, PAGES, RUN, SHOWN, TEXTS, fenced
from tests.warm_python import warm_python
from vlcheck.cli import app
from vlcheck.cli.group import Deferred
from vlcheck.datasets.registry import open_source
from vlcheck.perturb import Block, Box, Compose, View
from vlcheck.policy.toml_file import load_policy
from vlcheck.zoo.pretrained import WEIGHTS, weights_of
from vlcheck.zoo.workspace import SHARED

RESULTS = "vlcheck-results.jsonl"
TUTORIAL = ("test_mine.py", "test_frame.py")  # of the commands `bias` and `perturbation`
SCENES, PHOTOGRAPHS = "scenes:30", "coco:{coco}"
FEW = "achromatic or swaps_sides or grayscale_preserves_objects or frame or collapses"  # of the suite's tests


@dataclass(frozen=True)
class Expected:
    """What a block of commands comes to.

    Attributes:
        ends: each command's exit status.
        leaves: files that are there afterwards.
        data: what stands in for coco:/data/coco, where it is the reader's own folder that is meant.
        checkout: whether it is run in a checkout of this project; else in a folder of the reader's own.
    """

    ends: tuple[int, ...]
    leaves: tuple[str, ...] = ()
    data: str = SCENES
    checkout: bool = True


def _end_of(tracker: str) -> int:
    """The exit status of an export: 4, and the name of the extra, where the tracker's client is not installed."""
    return 0 if importlib.util.find_spec(tracker) else 4


# Nothing here needs a GPU or the hub. Blocks that .ci/run evaluates are not run once more: see run_by_ci.
BLOCKS = {
    "mirror": Expected((1,), ("report.html", RESULTS)),
    "ablation": Expected((1,), (RESULTS,)),  # tiny gives hidden things no probability: invalid
    "model": Expected((0,), (RESULTS,)),
    "factory": Expected((0, 1), (RESULTS,)),  # it sees the average color, and knows no thing
    "data": Expected((0, 0), data=PHOTOGRAPHS),
    "cases": Expected((0, 0, 1), ("cases.jsonl", RESULTS), data=PHOTOGRAPHS),  # the checkpoint knows drawn scenes alone
    "bias": Expected((0,), (RESULTS,)),
    "perturbation": Expected((0,), (RESULTS,)),
    "mm-shap": Expected((0,), (RESULTS,)),
    "policy": Expected((0, 0), ("mine.toml",)),
    "gate": Expected((1,)),  # the results that are there are of a part of the suite
    "wheel": Expected((0,), ("dist/vlcheck-0.1.0-py3-none-any.whl",)),
    "repository": Expected((0, 0, 0), ("fixtures/policy.toml", RESULTS), checkout=False),
    "report": Expected((0,), ("report.html",)),
    "table": Expected((0,), ("verdicts.csv",)),
    "card": Expected((0,), ("card.md",)),
    "look": Expected((0,), ("look.png",)),
    "why": Expected((1,), ("report.html", RESULTS)),
    "explain_run": Expected((1,), ("report.html", RESULTS)),  # few of its things lie in the middle: invalid
    "own_network": Expected((0, 0, 1), ("look.png", RESULTS)),  # it finds colors, and knows no thing
    "look_explain": Expected((0,), ("look.png",)),
    "words": Expected((0,), ("words.json",)),
    "audit": Expected((0,), ("audit.html", "audit.json")),
    "causes": Expected((1, 0), ("audit.html", RESULTS)),
    "mitigate": Expected((0,), (RESULTS,)),
    "parity": Expected((0,), ("parity.json", "parity.md")),
    "parity_kept": Expected((0, 0), ("old.parity",)),
    "compare": Expected((0, 0), (RESULTS,)),
    "board": Expected((1,), ("board.html",)),  # here new.jsonl is a copy of old.jsonl, which is left out
    "record": Expected((0,), ("record.json",)),
    "mlflow": Expected((_end_of("mlflow"),)),
    "wandb": Expected((_end_of("wandb"),)),
}


def named_blocks() -> dict[str, str]:
    """The blocks of commands, by the names in the comments above them."""
    block = "^<!-- command: (\\S+) -->\n" + FENCE.format("bash").removeprefix("^")
    return dict(re.findall(block, RUN, re.MULTILINE | re.DOTALL))


def commands(block: str) -> list[str]:
    lines = block.replace("\\\n", " ").splitlines()
    return [command.strip() for line in lines if line for command in line.split(" && ")]


def run_by_ci() -> set[str]:
    """The blocks that .ci/run evaluates: they install vlcheck, ask `tiny` about everything, and run these tests."""
    return set(re.findall(r'eval "\$\(readme (\S+)\)"', (ROOT / ".ci" / "run").read_text(encoding="utf-8")))


def run(command: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, with few of the suite's tests; what it installs goes beside the folder."""
    site = folder.with_name("site")
    programs = [site / "bin", warm_python().bin, Path(sys.executable).parent, os.environ["PATH"]]
    here = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    here |= {"PATH": os.pathsep.join(map(str, programs)), "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    here |= {"PIP_TARGET": str(site), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    here |= {
        "PIP_NO_BUILD_ISOLATION": "0"
    }  # pip reads it the other way round: it builds with the hatchling that is here
    here |= {"PYTEST_ADDOPTS": f"-p no:cacheprovider -k '{FEW}'"} | changes
    shell = ["bash", "--noprofile", "--norc", "-c", command]
    return subprocess.run(shell, cwd=folder, env=here, capture_output=True, text=True, check=False)


# What the reader has.


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Checkpoints of their own, a model, a photograph, results of earlier runs."""
    folder = tmp_path_factory.mktemp("reader") / "own"
    folder.mkdir()
    for name in ("ALBEF_4M.pth", "NEW.pth", "TRUSTED.pth"):
        torch.save({"model": load_file(weights_of("tiny"))}, folder / name)
    for name in SHARED:
        shutil.copy(WEIGHTS / name, folder)
    for name in ("mine.py", "two_encoders.py"):
        (folder / name).write_text(FILES[name], encoding="utf-8")
    open_source("scenes:1").cases[0].image.open().save(folder / "photo.jpg")
    lines = [json.dumps({"caption": case.caption, "image": case.id}) for case in open_source(SCENES).cases]
    (folder / "captions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = run(f"python -m pytest {ROOT}/behavior_tests --vl-model tiny --vl-data {SCENES}", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("old.jsonl", "new.jsonl", "words.jsonl"):
        shutil.copy(folder / RESULTS, folder / name)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, own):
    """This project, with all of that, and the tests of the tutorial, in it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("behavior_tests", "fixtures", "vlcheck"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in TUTORIAL:
        (folder / "behavior_tests" / name).write_text(FILES[name], encoding="utf-8")
    return shutil.copytree(own, folder, dirs_exist_ok=True)


# The blocks.


def test_each_block_of_commands_has_a_name_and_is_run():
    names = named_blocks().keys()
    assert len(fenced("bash")) == len(names), "each ```bash block needs a <!-- command: NAME --> of its own above it"
    unknown = sorted(names - BLOCKS.keys() - run_by_ci())
    assert not unknown, f"commands that nothing runs: say in BLOCKS what {', '.join(unknown)} comes to"
    assert BLOCKS.keys() | run_by_ci() == names


def test_commands_are_in_no_other_kind_of_block():
    opened = re.findall(r"^```(.+)$", RUN, re.MULTILINE)
    assert set(opened) == {"bash", "json", "python", "text", "toml", "yaml"}
    assert len(opened) == len(re.findall(r"^```$", RUN, re.MULTILINE))


def about(data: str) -> list[str]:
    """The blocks in which this stands in for coco:/data/coco."""
    return [name for name, expected in BLOCKS.items() if expected.data == data]


@pytest.fixture
def comes_to_what_it_should(own, checkout, wheel_path, tmp_path):
    """Run a block, with data that stands in for coco:/data/coco."""

    def run_it(name, data):
        expected = BLOCKS[name]
        folder = shutil.copytree(checkout if expected.checkout else own, tmp_path / "folder")
        for command, end in zip(commands(named_blocks()[name]), expected.ends, strict=True):
            here = command.replace("coco:/data/coco", data)
            done = run(here, folder, VLCHECK=str(wheel_path))
            assert done.returncode == end, f"{here}\n{done.stdout}{done.stderr}"
        assert [path for path in expected.leaves if not (folder / path).is_file()] == []

    return run_it


@pytest.mark.slow
@pytest.mark.parametrize("name", about(SCENES))
def test_a_block_comes_to_what_it_should(name, comes_to_what_it_should):
    comes_to_what_it_should(name, SCENES)


@pytest.mark.slow
@pytest.mark.parametrize("name", about(PHOTOGRAPHS))
def test_a_block_about_photographs_comes_to_what_it_should(name, comes_to_what_it_should, coco_root):
    comes_to_what_it_should(name, PHOTOGRAPHS.format(coco=coco_root))


# The output.

MIRROR = ("README.md", "docs/start.md", "docs/tutorials/first-run.md")  # what `mirror` prints
NO_RUN = {
    "docs/howto/audit.md": "COCO's captions; tests/cli/test_audit.py holds it against an audit of them",
    "docs/howto/many-machines.md": "commands for clusters; tests of --vl-shard and --vl-engine ray run their options",
    "docs/howto/setup.md": "what `vlcheck models show tiny` prints; tests/cli/test_show_model.py holds it against that",
    "docs/howto/served.md": "an endpoint of the reader's own; tests/models/served/ has small ones",
    "docs/reference/specs.md": "a grammar",
    "docs/tutorials/my-model.md": "a full-size ALBEF with random weights on photographs, as the page says",
}


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_each_block_of_output_is_held_against_a_run_or_says_why_not():
    assert {page for page, text in TEXTS.items() if fenced("text", text)} == {*MIRROR, *NO_RUN}


@pytest.mark.slow
@pytest.mark.nightly  # 200 scenes a test, as the pages have it
def test_the_pages_show_what_a_run_prints(tmp_path):
    command = f"python -m pytest {ROOT}/behavior_tests --vl-model tiny-mirror --vl-data scenes -v"
    done = run(command, tmp_path, PYTEST_ADDOPTS="-p no:cacheprovider", XDG_CACHE_HOME=str(tmp_path / "cache"))
    printed = squeezed(done.stdout)
    shown = [line for page in MIRROR for block in fenced("text", TEXTS[page]) for line in squeezed(block)]
    assert [line for line in shown if line != "..." and not any(said.startswith(line) for said in printed)] == []


# The files.


def test_each_python_file_has_a_name():
    assert len(fenced("python", SHOWN)) == len(FILES), "each ```python block needs a <!-- file: NAME.py --> above it"


@pytest.mark.parametrize("name", ["mine.py", "contrastive.py", "test_mine.py", "test_frame.py", "test_ending.py"])
def test_a_model_a_bias_and_a_perturbation_take_less_than_30_lines(name):
    assert len([line for line in FILES[name].splitlines() if line.strip()]) < 30


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"evaluate.py"}))
def test_a_file_is_imported(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    exec(compile(FILES[name], name, "exec"), {"__name__": name.removesuffix(".py")})  # noqa: S102 - our own page


def test_the_perturbation_of_the_reference_that_moves_things_moves_the_boxes_with_them():
    names: dict[str, Any] = {"__name__": "test_smaller"}
    exec(compile(FILES["test_smaller.py"], "test_smaller.py", "exec"), names)  # noqa: S102 - our own page
    case = next(case for case in open_source("scenes:1").cases if "single" in case.tags)
    edited = Compose(names["Smaller"](0.5), Block(where="region"))(View.of(case), ())
    (own,), (moved,) = case.region, edited.region
    assert moved == Box(*(value / 2 for value in own))
    middle = round(moved.x + moved.width / 2), round(moved.y + moved.height / 2)
    assert edited.picture.render().getpixel(middle) == (0, 0, 0)


@pytest.mark.slow
def test_the_tests_that_no_command_names_are_run(checkout, tmp_path):
    folder = shutil.copytree(checkout, tmp_path / "folder")
    names = sorted(name for name in FILES if name.startswith("test_") and name not in TUTORIAL)
    for name in names:
        (folder / "behavior_tests" / name).write_text(FILES[name], encoding="utf-8")
    tests = " ".join(f"behavior_tests/{name}" for name in names)
    done = run(f"python -m pytest {tests} --vl-model tiny --vl-data {SCENES}", folder, PYTEST_ADDOPTS="")
    lines = [json.loads(line) for line in (folder / RESULTS).read_text(encoding="utf-8").splitlines()]
    assert {line["behavior"]: line["status"] for line in lines if line["kind"] == "verdict"} == {
        "test_a_full_stop_changes_nothing": "pass",
        "test_a_smaller_thing_is_the_same_thing": "pass",
        "test_blocking_a_thing_drops_match": "inconclusive",  # a box that is painted over is much like a box
        "test_compression_moves_no_score": "pass",
    }
    assert "1 failed, 5 passed" in done.stdout  # the contract and a caption have no verdict


@pytest.mark.slow
def test_the_evaluation_writes_its_page_and_its_results(tmp_path):
    (tmp_path / "evaluate.py").write_text(FILES["evaluate.py"].replace("scenes:50", SCENES), encoding="utf-8")
    done = run("python evaluate.py", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "results.jsonl").is_file()


@pytest.mark.parametrize(
    ("page", "masked", "foils"),
    [
        ("docs/tutorials/my-data.md", "A man holding a frisbee in his [MASK] hand.", ()),
        ("docs/reference/foils.md", "A man [MASK] a horse.", ("A man feeds a horse.",)),
    ],
)
def test_the_case_is_read(tmp_path, page, masked, foils):
    (line,) = fenced("json", TEXTS[page])
    (tmp_path / "cases.jsonl").write_text(line, encoding="utf-8")
    picture = tmp_path / json.loads(line)["image"]
    picture.parent.mkdir()
    open_source("scenes:1").cases[0].image.open().save(picture)
    (case,) = open_source(f"jsonl:{tmp_path / 'cases.jsonl'}").cases
    assert (case.masked, case.foils) == (masked, foils)


def test_what_is_required_and_the_known_bias_are_read(tmp_path):
    (tmp_path / "mine.toml").write_text("\n".join(fenced("toml")), encoding="utf-8")
    policy = load_policy(tmp_path / "mine.toml")
    assert policy.required == ("modality", "color", "position")
    assert policy.of("test_x", "color").on("not asked") == "fail"
    (known,) = policy.known
    assert (known.behavior, known.metric) == ("test_mirror_swaps_sides", "itm")


def test_the_captions_of_drawn_scenes_are_those_that_the_tutorial_shows():
    shown = re.findall(r"^\| (`\".*`) \| (.*) \|$", TEXTS["docs/tutorials/my-bias.md"], re.MULTILINE)
    there = {(case.caption, case.target): case for case in open_source("scenes:60").cases}
    for tags, captions in shown:
        for tag, caption in zip(re.findall(r"\w+", tags), captions.split("; "), strict=True):
            (target,) = re.findall(r"\*\*(\w+)\*\*", caption)
            assert tag in there[caption.replace("*", ""), target].tags
    assert {case.image.open().size for case in there.values()} == {(128, 128)}
    assert shown


# The reference.


def names_in(page: str, section: str) -> set[str]:
    """Return what stands in backticks in a section of a page."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", TEXTS[page], re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\w+)`", text))


def test_each_key_of_a_results_file_is_in_the_reference(own):
    lines = [json.loads(line) for line in (own / "old.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["kind"] for line in lines} == {"run", "image", "evidence", "verdict"}
    for line in lines:
        assert line.keys() - {"kind"} <= names_in("docs/reference/results.md", line["kind"])


def test_each_option_is_in_the_reference(of_pytest):
    own = {option for option in of_pytest if option.startswith("--vl-")}
    assert own
    assert own == set(re.findall(r"--vl-[\w-]+", TEXTS["docs/reference/options.md"]))


def test_each_command_is_in_the_reference_with_its_options(of_vlcheck):
    rows = re.findall(r"^\| `vlcheck ([^`]+)`.*\| (.*) \|$", TEXTS["docs/reference/commands.md"], re.MULTILINE)
    listed = {
        tuple(word for word in command.split() if word.islower()): set(re.findall(r"`(--[\w-]+)", options))
        for command, options in rows
    }
    does_nothing_alone = {(), ("explain",), ("export",), ("policy",), ("store",), ("zoo",)}
    assert listed.keys() == of_vlcheck.keys() - does_nothing_alone
    for command, options in listed.items():
        assert options <= of_vlcheck[command], command
        one_name = {option.replace("--vl-", "--") for option in options}
        there = {option.replace("--vl-", "--") for option in of_vlcheck[command] if option.startswith("--")}
        assert one_name == there - {"--help"}, command


def test_each_public_name_is_in_the_reference():
    listed = re.findall(r"^\| `vlcheck\.(\w+)`", TEXTS["docs/reference/api.md"], re.MULTILINE)
    assert set(vlcheck.__all__) <= set(listed)


def test_each_page_is_listed_on_the_first_one():
    listed = set(re.findall(r"^- \[[^\]]+\]\(([^)]+)\)", TEXTS["docs/index.md"], re.MULTILINE))
    assert {f"docs/{page}" for page in listed if not page.startswith("..")} == {*DOCS} - {"docs/index.md"}


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].encode()) <= 9000


# The prose.


def prose(page: str) -> str:
    """A page without its blocks."""
    return re.sub(FENCE.format(".*?"), "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def code(page: str) -> list[list[str]]:
    """The words of what stands in backticks."""
    return [words for text in re.findall(r"`([^`]+)`", prose(page)) if (words := text.split())]


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}


def every_command(command=None, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Each command of vlcheck, with its options."""
    command = command or get_command(app)
    command = command.load() if isinstance(command, Deferred) else command
    yield names, {"--help"} | {option for parameter in command.params for option in parameter.opts}
    for name, below in getattr(command, "commands", {}).items():
        yield from every_command(below, (*names, name))


@pytest.fixture(scope="module")
def of_vlcheck():
    return dict(every_command())


@pytest.fixture(scope="module")
def of_pytest():
    """The options of pytest and its plugins, vlcheck among them."""
    done = run("python -m pytest --help", ROOT, PYTEST_ADDOPTS="")
    return set(re.findall(r"(?<![\w-])--[a-z][\w-]*", done.stdout))


@pytest.mark.parametrize("page", PAGES)
def test_options_of_commands_in_the_prose_are_there(page, of_vlcheck):
    for _, *words in (words for words in code(page) if words[0] == "vlcheck" and len(words) > 1):
        said = max((names for names in of_vlcheck if names == tuple(words[: len(names)])), key=len)
        assert said or words[0].startswith("--"), f"vlcheck {' '.join(words)}: no such command"
        assert options(words) <= of_vlcheck[said], f"vlcheck {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES)
def test_options_of_pytest_in_the_prose_are_there(page, of_vlcheck, of_pytest):
    for words in code(page):
        if words[0] == "pytest" or words[:3] == ["python", "-m", "pytest"]:
            assert options(words) <= of_pytest, " ".join(words)
        if words[0].startswith("--"):
            assert options(words) <= of_pytest.union(*of_vlcheck.values()), " ".join(words)


@pytest.mark.filterwarnings("ignore:Setuptools is replacing distutils")  # it looks for pip, once distutils is imported
@pytest.mark.parametrize("page", PAGES)
def test_modules_in_the_prose_are_there(page):
    modules = {words[2] for words in code(page) if words[:2] == ["python", "-m"]}
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


def anchors(path: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(str(path.relative_to(ROOT))), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
