"""Text from anywhere steers neither a terminal nor a CI's runner, whichever way it is shown."""

import ast
import json
import re

import pytest
from typer.testing import CliRunner

from tests.conftest import ROOT
from tests.datasets.conftest import Folder
from tests.plugin.conftest import write_cases
from tests.report.pages import passing, results, rows, verdict
from vlcheck.cli import app
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.errors import LONGEST, UsageError, printable
from vlcheck.models.loading.load import load_model
from vlcheck.policy.toml_file import load_policy
from vlcheck.results.file import write_results
from vlcheck.suite.shipped import lexicons_path

HOSTILE = (
    "x\n::error::own\r\n  ::stop-commands::z\x1b[2J\x1b]8;;http://evil\x07here\x1b]8;;\x07\x9b1m\x85\u2028"
    "\u202egnp\u2066\u200b\ufeff\u3164 ##[error]a ##vso[task.complete]b ##teamcity[c] ::warning::d \udcff"
)
COMMAND = re.compile(r"^\s*::|##[\w.-]*\[", re.MULTILINE)


def steers(text: str) -> list[str]:
    """What of a text a terminal or a runner would obey."""
    controls = [one for one in text if not (one.isprintable() or one in "\n\t")]
    return [*COMMAND.findall(text), *controls, *(one for one in text if one in "\u3164")]


def test_a_line_that_is_shown_steers_nothing():
    assert steers(HOSTILE)
    assert steers(printable(HOSTILE, 10_000)) == []
    assert "\n" not in printable(HOSTILE)
    assert steers(str(UsageError(HOSTILE, HOSTILE))) == []
    assert len(str(UsageError(HOSTILE, HOSTILE)).split("\n")) == 2


@pytest.mark.parametrize("end", range(1, 60))
def test_no_cut_makes_a_command(end):
    assert steers(printable("##[error] ::error:: " * 3, end)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("a ::error::x", "a : :error::x"),
        (":::x", ": : :x"),
        ("Expecting :: char 10", "Expecting :: char 10"),
        ("###[a]##vso[b]", "### [a]## vso[b]"),
        ("tests/a.py::test_b[mlm]", "tests/a.py::test_b[mlm]"),
        ("a\u200db", "a\\u200db"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # as Persian is written
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),  # a couple
    ],
)
def test_what_is_no_command_stays_as_it_is(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_long_message_keeps_its_end():
    said = str(UsageError(f"--to {'x' * 10**6}: has to end in .png."))
    assert len(said) < LONGEST + 10
    assert said.startswith("--to xxx")
    assert said.endswith("has to end in .png.")


def test_a_long_text_is_cut_before_it_is_looked_at():
    assert printable("\x1b" * 10**8, 20) == f"{chr(92)}x1b" * 4 + " ..."


def read_lexicons(path):
    load_lexicons(lexicons_path(), path.parent)


def ended(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


def refused(*arguments):
    """What a command says that ends as a usage error does."""
    done = ended(*arguments)
    assert done.exit_code == 4, done.output
    assert steers(done.output) == []
    return done.output


def jsonl(folder, **changes):
    return f"jsonl:{write_cases(folder, 2, **changes)}"


FIELDS = ("image", "caption", "target", "bare", "tags", "candidates", "id", "region", HOSTILE)


def test_the_fields_of_a_jsonl_file(tmp_path):
    path = write_cases(tmp_path, len(FIELDS))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    bad = [line | {field: HOSTILE} for field, line in zip(FIELDS, lines, strict=True)]
    path.write_text("\n".join(map(json.dumps, bad)))
    said = refused("cases", f"jsonl:{path}")
    assert len(said.splitlines()) >= len(FIELDS)


@pytest.mark.parametrize("id_", ["##[error]a", "::error::b", "##vso[c]"])
def test_the_id_of_a_case_is_part_of_a_tests_name(tmp_path, id_):
    assert "id: is" in refused("cases", jsonl(tmp_path, id=id_))


def test_a_good_case_whose_texts_are_hostile(tmp_path):
    spec = jsonl(
        tmp_path / "data", caption=f"{HOSTILE} dog", target="dog", tags=[HOSTILE, "objects"], candidates=["cat"]
    )
    for command in ("cases", "plan"):
        assert steers(ended(command, spec).output) == []


def test_the_fields_of_a_coco_file(tmp_path):
    folder = Folder(tmp_path)
    for caption in ("A red bus.", "A dog.", f"{HOSTILE} bus"):
        folder.photograph(caption, instances=[("bus", 0, 0, 80, 80)])
    folder.tables["captions"]["images"][0]["file_name"] = HOSTILE
    folder.tables["instances"]["categories"][1]["name"] = HOSTILE
    assert steers(ended("cases", f"coco:{folder.write()}").output) == []
    folder.tables["captions"]["images"][1]["width"] = folder.tables["instances"]["annotations"][1]["bbox"] = HOSTILE
    assert steers(ended("cases", f"coco:{folder.write()}").output) == []


def test_the_captions_of_a_corpus_and_the_names_in_a_run_beside_it(tmp_path):
    text = HOSTILE.replace("\udcff", "")  # half a character is in no file of text
    lines = [{"caption": f"{text} a dog to the left of a red bus", "image": text}] * 3
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    write_results(
        tmp_path / "r.jsonl", results((verdict(bias=HOSTILE), rows()), run={"name": HOSTILE, "data": HOSTILE})
    )
    places = ["--to", tmp_path / "page.html", "--json", tmp_path / "audit.json", "--results", tmp_path / "r.jsonl"]
    done = ended("audit", tmp_path / "captions.jsonl", *places)
    assert done.exit_code == 0, done.output
    assert steers(done.output) == []
    assert "\u202e" not in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        '["a\\n::error::b"]\none = 1',
        '[defaults]\n"a\\n::error::b" = 1',
        "\x1b]8;;x\x07",
        "[a\n::error::",
        "[[known]]\nreason = 1",
    ],
    ids=["table", "key", "control", "line", "kind"],
)
@pytest.mark.parametrize(("read", "name"), [(load_policy, "policy.toml"), (read_lexicons, "colors.toml")])
def test_the_keys_of_a_toml_file(tmp_path, text, read, name):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / name)
    assert steers(str(caught.value)) == []


@pytest.mark.parametrize(
    "typed",
    [
        "HOSTILE",
        "policy HOSTILE",
        "--HOSTILE",
        "report --HOSTILE x",
        "report HOSTILE",
        "card HOSTILE",
        "card FILE --page HOSTILE",
        "export HOSTILE",
        "export mlflow HOSTILE",
        "export wandb HOSTILE",
        "export hub FILE --benchmark HOSTILE",
        "export hub FILE --benchmark a/b --task-id HOSTILE",
        "export hub HOSTILE --benchmark a/b --task-id c",
        "export every-eval-ever FILE --organization a --to b --relationship HOSTILE",
        "compare HOSTILE HOSTILE",
        "compare a b --alpha HOSTILE",
        "compare a b --alpha=HOSTILE",
        "init FILE/HOSTILE",
        "look HOSTILE a[dog] --model tiny",
        "look FILE HOSTILE --model tiny",
        "cases scenes:1 --to FILE/HOSTILE",
        "cases scenes:1 --suite HOSTILE",
        "plan HOSTILE",
        "plan scenes:2 --policy HOSTILE",
        "plan scenes:2 --model HOSTILE",
        "policy show HOSTILE",
        "train HOSTILE --to x",
        "audit HOSTILE",
        "audit FILE --columns HOSTILE",
        "audit FILE --augment HOSTILE",
        "audit FILE --fail-on HOSTILE",
        "audit FILE --results HOSTILE",
        "audit FILE --to HOSTILE/x",
        "audit FILE --json FILE",
    ],
)
def test_what_is_typed(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(*(word.replace("FILE", __file__).replace("HOSTILE", HOSTILE) for word in typed.split()))


def test_an_error_that_nobody_foresaw(monkeypatch):
    def read(path):
        raise ZeroDivisionError(HOSTILE)

    monkeypatch.setattr("vlcheck.cli.report.read", read)
    done = ended("report", "x")
    assert done.exit_code == 1
    assert "ZeroDivisionError: x" in done.output
    assert steers(done.output) == []


def test_messages_of_a_factory_of_a_config_and_of_a_template(tmp_path):
    (tmp_path / "mine.py").write_text(f"def make(device, dtype):\n    raise RuntimeError({HOSTILE!r})\n")
    (tmp_path / "bad.py").write_text(f"raise ImportError({HOSTILE!r})\n")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": [HOSTILE], "model_type": HOSTILE}))
    (tmp_path / "with\n::error::").mkdir()
    factories = (f"{tmp_path}/mine.py:make", f"{tmp_path}/bad.py:make", f"{tmp_path}/mine.py:{HOSTILE}")
    for spec in (*factories, str(folder), f"{tmp_path}/with\n::error::"):
        with pytest.raises(UsageError) as caught:
            load_model(spec)
        assert steers(str(caught.value)) == []
    for option in ("device", "dtype"):
        with pytest.raises(UsageError) as caught:
            load_model("tiny", **{option: HOSTILE})
        assert steers(str(caught.value)) == []


@pytest.fixture
def hostile_results(tmp_path):
    """A results file all of whose texts are hostile, but for those that say of which kind a line is."""
    said = {name: f"{name} {HOSTILE}" for name in ("doc", "bias", "bias_doc", "behavior", "expected", "perturbation")}
    ones = [verdict(**said, reason=HOSTILE, test=f"a.py::{HOSTILE}"), passing(**said, test=f"b.py::{HOSTILE}")]
    told = {
        "perturbation": HOSTILE,
        "texts": [HOSTILE, HOSTILE],
        "targets": [HOSTILE, "b"],
        "wanted": [HOSTILE, HOSTILE],
    }
    run = {name: f"{name} {HOSTILE}" for name in ("name", "model", "fingerprint", "data", "started")}
    run |= {
        "versions": {HOSTILE: HOSTILE},
        "policy": {"path": HOSTILE},
        "left_out": {HOSTILE: 3},
        "unjudged": [HOSTILE],
    }
    path = tmp_path / "results.jsonl"
    write_results(path, results(*((one, rows(**told)) for one in ones), run=run))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines))
    return path


def test_results_are_compared_carded_and_drawn(hostile_results, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text(hostile_results.read_text().replace("fail", "pass"))
    commands = [("compare", hostile_results, other), ("card", hostile_results), ("report", hostile_results)]
    commands += [("board", hostile_results, other, f"--to={tmp_path / 'board.html'}")]
    commands += [("export", "every-eval-ever", hostile_results, "--organization=x", f"--to={tmp_path / 'record.json'}")]
    score = tmp_path / ".eval_results" / "score.yaml"
    commands += [("export", "hub", hostile_results, "--benchmark=a/b", "--task-id=c", "--metric=itm", f"--to={score}")]
    for command in commands:
        done = ended(*command)
        assert done.exit_code in (0, 1, 4), done.output
        assert steers(done.output) == []
    assert steers(score.read_text(encoding="utf-8")) == []
    assert (tmp_path / "record.json").read_bytes().replace(b"\n", b"").decode("ascii").isprintable()  # names stay data
    for name in ("results.html", "board.html"):
        page = (tmp_path / name).read_text(encoding="utf-8").replace("\u00a0%", " %")  # the page's own
        assert [one for one in steers(page) if not COMMAND.match(one)] == []


@pytest.mark.parametrize(
    "line",
    ["\x1b[2J::error::", '{"kind": "\\n::error::x"}', '{"kind": "evidence", "test": "\\n::error::"}'],
    ids=["no JSON", "kind", "test"],
)
def test_a_line_that_is_none_of_a_results_file(hostile_results, line):
    hostile_results.write_text(f"{hostile_results.read_text()}\n{line}")
    refused("report", hostile_results)


PRINTING = {"echo", "secho", "write_line", "rewrite", "line"}
ALLOWED = {"cli/console.py", "plugin/reporters/lines.py"}


@pytest.mark.parametrize("room", ["cli", "plugin"])
def test_nothing_is_printed_past_the_one_place(room):
    """But for GitHub's commands, which are escaped in their own way."""
    found = []
    for path in sorted((ROOT / "vlcheck" / room).rglob("*.py")):
        file = path.relative_to(ROOT / "vlcheck").as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", "")  # also of a function that is handed on
            if (name in PRINTING or getattr(node, "id", "") == "print") and file not in ALLOWED:
                found.append(f"{file}: {ast.unparse(node)}")
    assert found == (["plugin/reporters/github.py: terminal.write_line"] if room == "plugin" else [])


def test_reasons_that_pytest_prints_are_shown_first():
    """Those of skip and xfail."""
    for path in sorted((ROOT / "vlcheck" / "plugin").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.skip", "pytest.xfail"):
                assert ast.unparse(node.args[0]).startswith("shown("), path
