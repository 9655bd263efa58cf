"""Specs, registered readers, and how so many cases are chosen."""

import tomllib
from collections import Counter
from importlib.metadata import EntryPoint
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.plugin.conftest import write_cases
from vlcheck.cases import Case, with_target
from vlcheck.cases.offer import Offer
from vlcheck.cases.selection import in_turn
from vlcheck.datasets import registry
from vlcheck.datasets.registry import GROUP, open_source, registered_sources
from vlcheck.errors import UsageError
from vlcheck.perturb import Solid


def case(image, target, *tags, bare=None):
    picture = Solid((1, 1), (int(image) % 256, int(image) // 256, 0))
    return Case(
        id=f"{image}-{target}", image=picture, caption=f"a {target}", target=target, tags=frozenset(tags), bare=bare
    )


def offer(*cases):
    by_image = {}
    for one in cases:
        by_image.setdefault(one.id.partition("-")[0], []).append(one)
    return by_image


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "unknown source ''"),
        ("scene:5", "Did you mean 'scenes'?"),
        ("scenes:0", "it has to be from 1 to 100000"),
        ("scenes:-3", "takes N, images a behavior, from 1 on, and SEED, from 0 on"),
        ("scenes:5:1:2", "takes N, images a behavior, from 1 on, and SEED, from 0 on"),
        ("scenes:many", "takes N, images a behavior, from 1 on, and SEED, from 0 on"),
        ("jsonll:x", "Did you mean 'jsonl'?"),
        ("coco:", "names no path"),
        ("jsonl", "names no path"),
        ("coco:x:0", "it has to be from 1 to 100000"),
    ],
)
def test_a_spec_that_means_nothing_is_told_what_would(spec, said):
    with pytest.raises(UsageError) as raised:
        open_source(spec)
    assert said in str(raised.value)
    assert repr(spec) in str(raised.value)


def test_a_path_with_colons_is_read_from_the_right(tmp_path):
    folder = tmp_path / "odd:3:name"
    write_cases(folder, 8)
    source = open_source(f"jsonl:{folder}/cases.jsonl:5:2")
    assert (source.images, source.seed, len(source.select(with_target("object")))) == (5, 2, 5)


def test_200_images_a_behavior_unless_said(tmp_path):
    assert open_source(f"jsonl:{write_cases(tmp_path, 1)}").images == 200


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    write_cases(tmp_path, 2)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(open_source("jsonl:~/cases.jsonl").cases) == 2
    assert Path("~/cases.jsonl").expanduser() == tmp_path / "cases.jsonl"


def test_kinds_are_any_of_having_are_all_and_lacking_is_none():
    cases = [
        case(1, "dog", "object", "legible-text"),
        case(2, "red", "color", "chromatic"),
        case(3, "white", "color", "achromatic"),
        case(4, "left", "side"),
    ]

    def chosen(selection):
        return {one.target for one in cases if selection.accepts(one)}

    assert chosen(with_target("object", "side")) == {"dog", "left"}
    assert chosen(with_target("color", having=("chromatic",))) == {"red"}
    assert chosen(with_target("object", "color", lacking=("legible-text", "chromatic"))) == {"white"}
    assert chosen(with_target("object", bare=True)) == set()


def test_a_selection_reads_as_it_was_asked():
    selection = with_target("side", "hand", having=("person",), lacking=("legible-text",), bare=True)
    assert selection.label == "side or hand, person, bare, without legible-text"


@pytest.mark.parametrize(("kinds", "tags"), [((), {}), (("object",), {"having": "chromatic"})])
def test_a_selection_of_nothing_or_of_letters_is_a_mistake(kinds, tags):
    with pytest.raises(ValueError, match="with_target"):
        with_target(*kinds, **tags)


def chosen_of(offered, at_most, seed):
    return tuple(islice(in_turn(offered, with_target("object"), seed=seed), at_most))


def test_targets_take_turns_and_the_rarest_is_never_crowded_out():
    dogs = [case(number, "dog", "object") for number in range(90)]
    cats = [case(number, "cat", "object") for number in range(90, 95)]
    chosen = chosen_of(offer(*dogs, *cats), 12, seed=0)
    assert Counter(one.target for one in chosen) == {"dog": 7, "cat": 5}


def test_an_image_gives_one_case_and_the_rare_target_gets_it():
    crowded = [one for number in range(20) for one in (case(number, "dog", "object"), case(number, "cat", "object"))]
    chosen = chosen_of(offer(*crowded), 20, seed=0)
    assert Counter(one.target for one in chosen) == {"dog": 10, "cat": 10}
    assert len({one.image.key for one in chosen}) == 20


def test_the_choice_hangs_on_seed_and_names_and_not_on_order():
    cases = [case(number, "dog", "object") for number in range(50)]
    first = chosen_of(offer(*cases), 10, seed=0)
    assert chosen_of(offer(*reversed(cases)), 10, seed=0) == first
    assert chosen_of(offer(*cases), 10, seed=1) != first
    assert chosen_of(offer(*cases), 5, seed=0) == first[:5]


# Readers of other packages.


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Register a reader as an installed package does."""

    def installed(code, name="pictures"):
        (tmp_path / f"reader_of_{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        entry = EntryPoint(name, f"reader_of_{name}:read", GROUP)
        monkeypatch.setattr(registry, "entry_points", lambda group: [entry])

    return installed


def test_the_source_of_the_contributors_page_is_read(install, tmp_path):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a data source")[2]
    code = page.partition("```python\n")[2].partition("```")[0]
    assert len(code.splitlines()) < 30
    install(code)
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red ball.png")
    (case,) = open_source(f"pictures:{tmp_path}:5").select(with_target("object"))
    assert (case.target, case.caption, case.image.size) == ("ball", "a red ball", (64, 64))
    (tmp_path / "red ball.png").unlink()
    with pytest.raises(UsageError, match=r"holds no picture that is called COLOR THING\.png"):
        open_source(f"pictures:{tmp_path}")


def test_a_reader_gets_what_its_parameters_name(install, tmp_path):
    install(
        "from vlcheck.cases import Offer\n"
        "def read(path, lexicons, *, split='', images=0, seed=0):\n"
        "    return Offer({}, missing=(path.name, split, images, seed, type(lexicons).__name__))\n"
    )
    offer = open_source(f"pictures:{tmp_path}@val:50:3").offer
    assert offer.missing == (tmp_path.name, "val", 50, 3, "Lexicons")


@pytest.mark.parametrize(("at", "given"), [("", "None"), ("@coco:a@val", "coco:a@val"), ("@/data", "/data")])
def test_a_reader_of_texts_gets_the_pictures_that_follow_the_at(install, tmp_path, at, given):
    install(
        "from vlcheck.cases import Offer\n"
        "def read(path, lexicons, *, pictures):\n"
        "    return Offer({}, missing=(path.name, str(pictures)))\n"
    )
    assert open_source(f"pictures:{tmp_path}{at}:50").offer.missing == (tmp_path.name, given)


@pytest.mark.parametrize(
    ("code", "spec", "said"),
    [
        ("def read(path, lexicons): return []", "pictures:x", "its reader gave 'list'; it has to return"),
        ("def read(path, lexicons): return 1 / 0", "pictures:x", "cannot be read. ZeroDivisionError"),
        ("import absent_package", "pictures:x", "reader_of_pictures:read cannot be imported"),
        ("def read(path, lexicons): ...", "pictures", "pictures names no path. Say pictures:PATH"),
        ("def read(path, lexicons): ...", "picture:x", "Did you mean 'pictures'?"),
        ("def read(path, lexicons): ...", "picture:x", "jsonl:PATH[:N[:SEED]] or pictures:PATH[:N[:SEED]]"),
    ],
)
def test_what_is_wrong_with_a_reader_or_its_name_is_one_line(install, code, spec, said):
    install(code)
    with pytest.raises(UsageError, match=rf"^data='{spec}'") as raised:
        open_source(spec)
    assert said in str(raised.value)


def test_the_shipped_readers_work_where_the_installation_is_older(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    assert registered_sources().keys() == registry._SHIPPED.keys() >= {"scenes", "coco", "jsonl", "sugarcrepe"}
    assert isinstance(open_source("scenes:2").offer, Offer)


def test_another_package_takes_no_shipped_name(install):
    install("def read(path, lexicons): ...", name="coco")
    assert registered_sources()["coco"].value == "vlcheck.datasets.coco.reader:read_coco"


def test_the_shipped_readers_are_those_that_are_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"][GROUP] == {name: entry.value for name, entry in registry._SHIPPED.items()}
