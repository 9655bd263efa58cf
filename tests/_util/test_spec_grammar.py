"""The grammar of specs: what is written is parsed to what was meant, and what was parsed is written again."""

import random
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vlcheck._util.paths import expanded
from vlcheck._util.spec_grammar import (
    Adapted,
    DataSpec,
    Factory,
    Reference,
    Scheme,
    Several,
    Single,
    Wrapped,
    parse_data,
    parse_model,
)
from vlcheck.datasets.registry import _SCHEMES, open_source
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model

SCHEMES = {
    "scenes": Scheme("scenes", path=False),
    "coco": Scheme("coco:ROOT[@SPLIT]", at="split"),
    "jsonl": Scheme("jsonl:PATH"),
    "sugarcrepe": Scheme("sugarcrepe:FOLDER[@SOURCE]", at="source"),
    "hf": Scheme("hf:NAME[:SPLIT]", at="named split"),
}
FAMILIES = ("albef", "tiny-mirror", "vilbert", "mine")
METRICS = ("mlm", "itm")
WRAPPERS = ("mean", "prior-free")
# Of what names and paths are made that could be misread.
PIECES = [
    *"abcXYZ019 ._-+",
    *"@:,=\"'/\\~",
    "::5",
    ":5:1",
    "@val2017",
    "@coco:",
    ",regions=",
    ", itm=",
    "itm=",
    ".py:make",
    "C:\\",
    "\n",
    "ü",
    "coco:",
    "albef:",
    "tiny-mirror",
    "org/name",
    "+org/name@v1",
    '"+"',
]


def nothing(path):
    """There is no such file or folder, whatever it is called."""
    return False


def data(spec, exists=nothing):
    return parse_data(spec, SCHEMES, exists=exists)


def model(spec, exists=nothing):
    return parse_model(spec, FAMILIES, METRICS, wrappers=WRAPPERS, exists=exists)


def text(rng):
    return "".join(rng.choices(PIECES, k=rng.randint(1, 6)))


def any_source(rng, depth=0):
    scheme = rng.choice([*SCHEMES][: 3 if depth > 3 else 4])
    if scheme == "scenes":
        return Reference(scheme)
    other = any_source(rng, depth + 1) if rng.random() < 0.7 else Reference("", text(rng))
    at = {"coco": text(rng), "sugarcrepe": other}.get(scheme, "") if rng.random() < 0.7 else ""
    return Reference(scheme, text(rng), at)


def any_data(rng):
    return DataSpec(any_source(rng), rng.choice([1, 50, 200, 100_000]), rng.choice([0, 7, 10**17]))


def any_place(rng):
    return Reference("", rng.choice([text(rng), "org/name-1.0"]), rng.choice(["", "refs/pr/1", text(rng)]))


def any_what(rng):
    name = rng.choice(["make", "Factory_2"])
    return rng.choice(
        [
            any_place(rng),
            Reference(rng.choice(FAMILIES), rng.choice(["", text(rng)])),
            Adapted(any_place(rng), any_place(rng)),
            Factory(text(rng) + ".py", name),
            Factory("package.module", name),
        ]
    )


def any_single(rng, outside=()):
    wrapper = rng.choice(WRAPPERS)
    if rng.random() < 0.2 and wrapper not in outside:
        return Single(Wrapped(wrapper, any_single(rng, (*outside, wrapper))))
    keys = rng.sample(["regions", "adapter", "quantize"], k=rng.randint(0, 3))
    return Single(any_what(rng), tuple((key, rng.choice(["", text(rng)])) for key in keys))


def any_model(rng):
    if rng.random() < 0.6:
        return any_single(rng)
    wrapped = rng.random() < 0.3
    outside = WRAPPERS if wrapped else ()
    several = Several(tuple((metric, any_single(rng, outside)) for metric in rng.sample(METRICS, k=2)))
    return Single(Wrapped("mean", several)) if wrapped else several


@pytest.mark.parametrize(("make", "parse"), [(any_data, data), (any_model, model)], ids=["data", "model"])
def test_what_is_parsed_is_written_again_and_parsed_to_the_same(make, parse):
    rng = random.Random(19)
    for _ in range(4000):
        wanted = make(rng)
        assert parse(str(wanted)) == wanted, str(wanted)


def parsed_or_refused(parse, spec):
    try:
        return parse(spec)
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize("parse", [data, model])
def test_any_text_is_parsed_or_refused_in_one_line(parse):
    rng = random.Random(19)
    for _ in range(4000):
        spec = rng.choice(["", "coco:", "sugarcrepe:", "albef:", "itm=", '"']) + text(rng)
        outcome = parsed_or_refused(parse, spec)
        assert "\n" not in outcome if isinstance(outcome, str) else parse(str(outcome)) == outcome, spec


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("scenes", DataSpec(Reference("scenes"))),
        ("scenes:50:3", DataSpec(Reference("scenes"), 50, 3)),
        ("coco:/data/coco", DataSpec(Reference("coco", "/data/coco"))),
        ("coco:/data/coco@val2017", DataSpec(Reference("coco", "/data/coco", "val2017"))),
        ("coco:/data/coco@val2017:50:3", DataSpec(Reference("coco", "/data/coco", "val2017"), 50, 3)),
        ('coco:/data/coco@"val 5:1":50', DataSpec(Reference("coco", "/data/coco", "val 5:1"), 50)),
        ('coco:"/data/me@home"', DataSpec(Reference("coco", "/data/me@home"))),
        ("coco:/me@home/coco", DataSpec(Reference("coco", "/me@home/coco"))),
        ('coco:"/data/12:30":50', DataSpec(Reference("coco", "/data/12:30"), 50)),
        ('coco:"a""b"@val', DataSpec(Reference("coco", 'a"b', "val"))),
        ("jsonl:odd:3:name/cases.jsonl:5:2", DataSpec(Reference("jsonl", "odd:3:name/cases.jsonl"), 5, 2)),
        ("jsonl:me@home.jsonl", DataSpec(Reference("jsonl", "me@home.jsonl"))),
        (r"jsonl:C:\data\cases.jsonl:5", DataSpec(Reference("jsonl", r"C:\data\cases.jsonl"), 5)),
        (
            "sugarcrepe:F@coco:/data/coco@val2017:50:3",
            DataSpec(Reference("sugarcrepe", "F", Reference("coco", "/data/coco", "val2017")), 50, 3),
        ),
        ("sugarcrepe:F@scenes:50", DataSpec(Reference("sugarcrepe", "F", Reference("scenes")), 50)),
        ("sugarcrepe:F", DataSpec(Reference("sugarcrepe", "F"))),
        ("sugarcrepe:F@/data/pictures", DataSpec(Reference("sugarcrepe", "F", Reference("", "/data/pictures")))),
        ("sugarcrepe:F@pictures:50:3", DataSpec(Reference("sugarcrepe", "F", Reference("", "pictures")), 50, 3)),
        ('sugarcrepe:F@"coco:A":50', DataSpec(Reference("sugarcrepe", "F", Reference("", "coco:A")), 50)),
        ("sugarcrepe:F@./coco", DataSpec(Reference("sugarcrepe", "F", Reference("", "./coco")))),
        (r"sugarcrepe:F@C:\data", DataSpec(Reference("sugarcrepe", "F", Reference("", r"C:\data")))),
    ],
)
def test_data_is_named(spec, wanted):
    assert data(spec) == wanted


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("folder", Single(Reference("", "folder"))),
        ("org/name", Single(Reference("", "org/name"))),
        ("org/name@refs/pr/1", Single(Reference("", "org/name", "refs/pr/1"))),
        ('"folder"@v2', Single(Reference("", "folder", "v2"))),
        (r"C:\models\blip", Single(Reference("", r"C:\models\blip"))),
        ("tiny-mirror", Single(Reference("tiny-mirror"))),
        ("./tiny-mirror", Single(Reference("", "./tiny-mirror"))),
        ("albef:/data/me@home/a,b.pth", Single(Reference("albef", "/data/me@home/a,b.pth"))),
        ("mine:https://host:8000/v1", Single(Reference("mine", "https://host:8000/v1"))),
        ("a/mine.py:Mine", Single(Factory("a/mine.py", "Mine"))),
        ('"a,b=c/mine.py":Mine', Single(Factory("a,b=c/mine.py", "Mine"))),
        ("package.module:make", Single(Factory("package.module", "make"))),
        ("folder,regions=d.pth", Single(Reference("", "folder"), (("regions", "d.pth"),))),
        ('folder,regions="a,b=c"', Single(Reference("", "folder"), (("regions", "a,b=c"),))),
        ("a/base+b/lora", Single(Adapted(Reference("", "a/base"), Reference("", "b/lora")))),
        ("a/base@v1+b/lora@v2", Single(Adapted(Reference("", "a/base", "v1"), Reference("", "b/lora", "v2")))),
        (
            "/base+/lora,regions=a+b",
            Single(Adapted(Reference("", "/base"), Reference("", "/lora")), (("regions", "a+b"),)),
        ),
        ('"a+b"@v1+"c,d=e"', Single(Adapted(Reference("", "a+b", "v1"), Reference("", "c,d=e")))),
        ('"a+b"', Single(Reference("", "a+b"))),
        ("tiny-mirror+lora", Single(Adapted(Reference("", "tiny-mirror"), Reference("", "lora")))),
        ("albef:/a+b.pth", Single(Reference("albef", "/a+b.pth"))),
        ("a+b/mine.py:Mine", Single(Factory("a+b/mine.py", "Mine"))),
        (
            "itm=vilbert:A,regions=D, mlm=org/name@v1,adapter=P",
            Several(
                (
                    ("itm", Single(Reference("vilbert", "A"), (("regions", "D"),))),
                    ("mlm", Single(Reference("", "org/name", "v1"), (("adapter", "P"),))),
                )
            ),
        ),
    ],
)
def test_a_model_is_named(spec, wanted):
    assert model(spec) == wanted


@pytest.mark.parametrize(
    ("spec", "there", "wanted"),
    [
        ("coco:/me@home", "/me@home", Reference("coco", "/me@home")),
        ("coco:/me@home", "/me", Reference("coco", "/me", "home")),
        ("coco:/me@home@val", "/me@home", Reference("coco", "/me@home", "val")),
        ("coco:/at/12:30", "/at/12:30", Reference("coco", "/at/12:30")),
        ("sugarcrepe:F@coco:A", "F@coco:A", Reference("sugarcrepe", "F@coco:A")),
        ("sugarcrepe:/me@home", "/me@home", Reference("sugarcrepe", "/me@home")),
        ("sugarcrepe:/me@home", "/me", Reference("sugarcrepe", "/me", Reference("", "home"))),
        ("sugarcrepe:F@at:x", "at:x", Reference("sugarcrepe", "F", Reference("", "at:x"))),
    ],
)
def test_without_quotes_the_longest_path_that_exists_is_meant(spec, there, wanted):
    assert data(spec, exists=there.__eq__).source == wanted


@pytest.mark.parametrize(
    ("spec", "there", "wanted"),
    [
        ("a,regions=b,regions=d", "a,regions=b", Single(Reference("", "a,regions=b"), (("regions", "d"),))),
        ("org/name@v1", "org/name@v1", Single(Reference("", "org/name@v1"))),
        ("itm=A,mlm=B", "itm=A,mlm=B", Single(Reference("", "itm=A,mlm=B"))),
        ("albef:a,b=c.pth", "a,b=c.pth", Single(Reference("albef", "a,b=c.pth"))),
        ("package:make", "package:make", Single(Reference("", "package:make"))),
        ("a+b", "a+b", Single(Reference("", "a+b"))),
        ("a+b+c", "a+b", Single(Adapted(Reference("", "a+b"), Reference("", "c")))),
        ("a+b+c", "b+c", Single(Adapted(Reference("", "a"), Reference("", "b+c")))),
    ],
)
def test_likewise_of_models(spec, there, wanted):
    assert model(spec, exists=there.__eq__) == wanted


@pytest.mark.parametrize(
    ("parse", "spec", "said"),
    [
        (data, 'coco:"/data', "data='coco:\"/data': a double quote is not closed"),
        (data, 'coco:"a"b', "coco takes N, images a behavior"),
        (data, "coco@val2017", "coco names no path. Say coco:ROOT[@SPLIT]."),
        (data, "sugarcrepe:F@cocoo:A", "unknown source 'cocoo'. Did you mean 'coco'?"),
        (data, "sugarcrepe:F@coco:", "coco names no path"),
        (data, "sugarcrepe:F@", "nothing follows the @. Say sugarcrepe:FOLDER[@SOURCE]."),
        (model, '"folder"x', "'x' follows the closing quote"),
        (model, "folder,regions=a,regions=b", "regions is named twice"),
        (model, "itm=A,mln=B", "'mln' is no metric. Did you mean 'mlm'? no model is named for mlm"),
        (model, "vqa=A", "'vqa' is no metric"),
        (model, "base+", "Say BASE+ADAPTER, both a folder or hub id"),
        (model, "+lora", "Say BASE+ADAPTER, both a folder or hub id"),
        (model, "base+one+two", "one adapter is accepted. A path with + is written in double quotes"),
    ],
)
def test_what_means_nothing_is_named_by_parameter_and_part(parse, spec, said):
    with pytest.raises(UsageError, match=f"^{parse.__name__}=") as raised:
        parse(spec)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("coco:/a@val2017@x", "'@val2017@x' after '/a', which is there, means nothing"),
        ("coco:/a@", "'@' after '/a', which is there, means nothing. Say coco:ROOT[@SPLIT][:N[:SEED]]"),
        ("coco:/a:-1", "':-1' after '/a', which is there, means nothing"),
        ("coco:/a:1:2:3", "':1:2:3' after '/a', which is there"),
        ("coco:/a@val2017:50:3 ", "'@val2017:50:3 ' after '/a', which is there"),
        ("jsonl:/a@val2017", "'@val2017' after '/a', which is there, means nothing. Say jsonl:PATH[:N[:SEED]]"),
        ("coco:/a ", "'/a ' ends with a space, and '/a' is there"),
        ("coco: /a", "' /a' begins with a space, and '/a' is there"),
        ("coco: /a@val2017", "' /a' begins with a space, and '/a' is there"),
        ("sugarcrepe:/a@coco:/a:-1", "':-1' after '/a', which is there"),
        ("COCO:/a", "unknown source 'COCO'. Did you mean 'coco'?"),
        (" coco:/a", "unknown source ' coco'. Did you mean 'coco'?"),
    ],
)
def test_what_is_beside_a_path_that_exists_is_named_rather_than_a_path_that_does_not(spec, said):
    with pytest.raises(UsageError) as raised:
        data(spec, exists="/a".__eq__)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "spec", ["~nobody-here/x", "~nobody-here/x.py:make", "albef:~nobody-here/x", "x/y,regions=~nobody-here/x"]
)
def test_a_home_that_nobody_has_is_one_line_of_a_model(spec, tmp_path, monkeypatch):
    if "regions" in spec:
        from tests.models.checkpoints import lxmert

        spec = f"{lxmert(tmp_path)},regions=~nobody-here/x"
    with pytest.raises(UsageError, match=r"^model=.*~nobody-here/x.*no home folder is known for ~nobody-here;"):
        load_model(spec)


@pytest.mark.parametrize("spec", ["coco:~nobody-here/x", "jsonl:~nobody-here/x"])
def test_a_home_that_nobody_has_is_one_line_of_data(spec):
    with pytest.raises(UsageError, match=r"^data=.*no home folder is known for ~nobody-here;"):
        open_source(spec)


def test_a_home_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/models") == tmp_path / "models"
    assert expanded("a/~/b") == Path("a/~/b")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "coco/" * 1500])
@pytest.mark.parametrize("spec", ["coco:{}", "jsonl:{}", "{}", "albef:{}", "{}.py:make", "{},regions=x"])
def test_what_can_be_no_path_is_one_line(name, spec):
    read = open_source if spec.startswith(("coco", "jsonl")) else load_model
    with pytest.raises(UsageError):
        read(spec.format(name))


def test_options_that_a_model_does_not_take_are_named(tmp_path):
    from tests.models.checkpoints import clip

    checkpoint = clip(tmp_path / "clip")
    for spec, said in [
        (f"{checkpoint},region=x", "has no option 'region'. Did you mean 'regions'?"),
        ("albef:x.pth,regions=y", "albef:x.pth has no option 'regions'. It takes no options."),
        ("tiny,regions=y", "tiny has no option 'regions'. It takes no options."),
        ("vilbert:x,region=y", "has no option 'region'. Did you mean 'regions'?"),
        ("mine.py:Mine,regions=y", "has no option 'regions'. It takes no options."),
    ]:
        with pytest.raises(UsageError, match=r"^model=") as raised:
            load_model(spec)
        assert said in str(raised.value)


@pytest.mark.parametrize("name", ["me@home", "a,regions=b", "itm=x", "12:30", "tiny", 'a"b', "a+b"])
def test_a_folder_of_any_name_can_be_named(name, tmp_path, monkeypatch):
    from tests.models.checkpoints import clip

    monkeypatch.chdir(tmp_path)
    clip(tmp_path / name)
    quoted = '"' + name.replace('"', '""') + '"'
    assert load_model(quoted).metrics == {"itm"}
    assert load_model(f"{tmp_path}/{name}").metrics == {"itm"}


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("hf:org/name", DataSpec(Reference("hf", "org/name"))),
        ("hf:org/name:train", DataSpec(Reference("hf", "org/name", "train"))),
        ("hf:org/name@train:50", DataSpec(Reference("hf", "org/name", "train"), 50)),
        ("hf:org/name:validation_2.1:50:3", DataSpec(Reference("hf", "org/name", "validation_2.1"), 50, 3)),
        ("hf:org/name:50:3", DataSpec(Reference("hf", "org/name"), 50, 3)),
        ('hf:"a:b":test', DataSpec(Reference("hf", "a:b", "test"))),
    ],
)
def test_a_named_split_follows_a_colon_or_an_at(spec, meant):
    assert data(spec) == data(str(meant)) == meant
    assert data("hf:a:b", lambda path: path == "a:b").source == Reference("hf", "a:b")


ROWS = re.findall(
    r"^\| `([^`]+)` \|", (ROOT / "docs" / "reference" / "specs.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize("spec", ROWS)
def test_what_the_page_on_specs_names_is_parsed_and_written_as_it_is(spec):
    if spec.startswith(tuple(_SCHEMES)):
        assert parse_data(str(parse_data(spec, _SCHEMES)), _SCHEMES) == parse_data(spec, _SCHEMES, exists=nothing)
    else:
        families, wrappers = ("albef", "clip", "openai", "tiny"), ("calibrated", "symmetrised")
        said = str(parse_model(spec, families, METRICS, wrappers=wrappers, exists=nothing))
        assert said == (spec if "#" not in spec else 'openai:"http://localhost:8000/v1#org/name"')
