"""`WRAPPER:SPEC`: which model is wrapped, what reaches it, and what is refused."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.differentiable import differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.registry import WRAPPERS, list_models
from vlcheck.models.loading.spec import parse
from vlcheck.models.protocol import StatesSymmetry, wrappings_of

FACTORY = """
import numpy as np

class Mine:
    name, mask, metrics, kinds = "mine", "[MASK]", {"itm"}, {"itm": "match-head"}

    def __init__(self, device, dtype):
        self.fingerprint = f"{device} {dtype}"

    def encode(self, images):
        return np.array([image.getpixel((0, 0))[0] / 255 for image in images])

    def itm(self, encoded, texts, foils=None):
        return encoded
"""


@pytest.mark.parametrize(
    ("spec", "inner"),
    [
        ("symmetrised:tiny", "tiny"),
        ("symmetrised:albef:A.pth,key=v", "albef:A.pth,key=v"),
        ("symmetrised:org/name@v1,regions=D", "org/name@v1,regions=D"),
        ('symmetrised:"a@b/mine.py":make', '"a@b/mine.py":make'),
        ('symmetrised:"/a,b=c"@v1,regions="x,y=z"', '"/a,b=c"@v1,regions="x,y=z"'),
        ("symmetrised:calibrated:tiny", "calibrated:tiny"),
        ("symmetrised:itm=A,regions=D,mlm=B,regions=E", "itm=A,regions=D,mlm=B,regions=E"),
    ],
)
def test_the_wrapped_spec_is_parsed_as_it_is_alone(spec: str, inner: str) -> None:
    families, wrappers = ("albef", "tiny"), ("calibrated", "symmetrised")
    parsed = parse(spec, families, wrappers)
    assert (parsed.said, parsed.wrapper, parsed.options, parsed.heads) == (spec, "symmetrised", (), ())
    assert parsed.inner == parse(inner, families, wrappers)


def test_one_model_of_a_pair_may_be_wrapped() -> None:
    heads = dict(parse("itm=symmetrised:org/a@v1,regions=D,mlm=tiny", ("tiny",), ("symmetrised",)).heads)
    assert (heads["itm"].wrapper, heads["mlm"].family) == ("symmetrised", "tiny")
    assert heads["itm"].inner == parse("org/a@v1,regions=D", ("tiny",))


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (
            "symmetrised:",
            "symmetrised wraps another model, and none is named. Say symmetrised:SPEC, e.g. symmetrised:tiny",
        ),
        ("symmetrised", "symmetrised wraps another model, and none is named"),
        ("symmetrised:,regions=D", "symmetrised wraps another model, and none is named"),
        ("itm=symmetrised:,mlm=tiny", "symmetrised wraps another model, and none is named"),
        ("symmetrised:tinny", "model='tinny': no such model. Did you mean 'tiny'"),
        ("symetrised:tiny", "no such model. Did you mean 'symmetrised'"),
        ("symmetrised:tiny,x=1", "tiny has no option 'x'"),
        ("symmetrised:calibrated:symmetrised:tiny", "symmetrised is named twice; once is enough"),
        ("symmetrised:symmetrised:tiny", "symmetrised is named twice; once is enough"),
        ("symmetrised:itm=tiny", "no model is named for mlm"),
        ("itm=tiny,mlm=symmetrised:tinny", "model='tinny': no such model"),
    ],
)
def test_what_is_wrong_with_a_wrapped_model_is_named(spec: str, complaint: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_model(spec)
    assert str(raised.value).startswith(f"model={spec!r}")
    assert complaint in str(raised.value)


def test_device_and_precision_reach_a_wrapped_model_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    model = load_model(f"symmetrised:{path}:Mine", dtype="float16")
    assert (model.name, model.metrics) == ("symmetrised:mine", {"itm"})
    (wrapping,) = wrappings_of(model)
    assert (wrapping.model, wrapping.fingerprint) == ("mine", "cpu float16")
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((0, 0), (255, 0, 0))
    np.testing.assert_array_equal(model.itm(model.encode([picture]), ["a cup"]), [0.5])
    with pytest.raises(UsageError, match="has no mlm: it offers itm"):
        load_model(f"itm=tiny,mlm=symmetrised:{path}:Mine")


def test_a_device_that_the_wrapped_model_does_not_take_is_refused_for_it() -> None:
    with pytest.raises(UsageError, match=r"^model='symmetrised:tiny': device=auto: 'tiny' is not spread over devices"):
        load_model("symmetrised:tiny", device="auto")


def test_a_pair_names_the_wrapper_of_each_part_and_states_its_symmetry() -> None:
    pair = load_model("itm=symmetrised:tiny,mlm=calibrated:tiny")
    assert [one.wrapper for one in wrappings_of(pair)] == ["symmetrised", "calibrated"]
    assert isinstance(pair, StatesSymmetry)
    assert pair.kinds == {"itm": "match-head", "mlm": "candidates"}
    assert pair.fingerprint != load_model("itm=tiny,mlm=calibrated:tiny").fingerprint
    for metric in ("itm", "mlm"):
        with pytest.raises(NotApplicable, match=r"tiny gives no gradients: .*; explain tiny"):
            differentiable(pair, metric)


def test_a_wrapped_pair_answers_as_the_pair_of_the_wrapped() -> None:
    whole = load_model("symmetrised:itm=tiny,mlm=tiny-right")
    parts = load_model("itm=symmetrised:tiny,mlm=symmetrised:tiny-right")
    images = [Image.new("RGB", (64, 64), "red")]
    said = (["a [MASK] to the left of a box"], [("ball", "box")])
    np.testing.assert_array_equal(whole.mlm(whole.encode(images), *said), parts.mlm(parts.encode(images), *said))
    assert {one.model for one in wrappings_of(whole)} == {"itm=tiny,mlm=tiny-right"}


def test_a_wrapper_of_another_package_is_foreign_code(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = {
        "gone": EntryPoint("gone", "absent.module:wrap", WRAPPERS),
        "picky": EntryPoint("picky", "tests.models.loading.test_wrappers:picky", WRAPPERS),
        "none": EntryPoint("none", "builtins:repr", WRAPPERS),
    }
    monkeypatch.setattr("vlcheck.models.loading.load.registered_wrappers", lambda: registered)
    for name, complaint in {
        "gone": "gone cannot be imported. ModuleNotFoundError",
        "picky": "picky does not take tiny. ZeroDivisionError",
        "none": "gave 'str' without name",
    }.items():
        with pytest.raises(UsageError) as raised:
            load_model(f"{name}:tiny")
        assert complaint in str(raised.value)


def picky(model: object) -> object:
    return 1 / 0


def test_wrappings_that_are_no_texts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{FACTORY}    wrappings = [('mine', 1)]\n")
    with pytest.raises(UsageError, match=r"wrappings .* have to be a sequence of Wrapping\(wrapper, says, model"):
        load_model(f"{path}:Mine")


def test_wrappers_are_listed_beside_families() -> None:
    listed = {family.name: family for family in list_models()}
    assert listed["symmetrised"].known == ("symmetrised:tiny",)
    assert (listed["calibrated"].kinds or {})["mlm"] == "candidates"
