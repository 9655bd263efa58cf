from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.checkpoints import clip
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import ClassifiesRegions, NamesWords

DOUBLE = """
class Double:
    name, fingerprint, mask = "double", "0", "[MASK]"
    metrics = frozenset({"itm"})

    def __init__(self, device, dtype):
        self.asked = device, dtype

    def encode(self, images):
        return images

    def itm(self, encoded, texts, foils=None):
        return [0.5] * len(texts)

def make(device, dtype):
    return Double(device, dtype)

def kinded(device, dtype):
    double = Double(device, dtype)
    double.kinds = {"itm": "sigmoid"}
    return double

def lacking(device, dtype):
    return object()

def raising(device, dtype):
    raise RuntimeError("no such weights")

def odd_kind(device, dtype):
    double = Double(device, dtype)
    double.kinds = {"itm": "guess"}
    return double

def no_metrics(device, dtype):
    double = Double(device, dtype)
    double.metrics = None
    return double

def nameless_weights(device, dtype):
    double = Double(device, dtype)
    double.fingerprint = None
    return double

def exits(device, dtype):
    raise SystemExit(3)

def panics(device, dtype):
    class PanicException(BaseException):
        pass
    raise PanicException("retry-limit-in-match over")

def mumbles(device, dtype):
    class Mumbled(Exception):
        def __str__(self):
            raise RuntimeError
    raise Mumbled

def headless(device, dtype):
    double = Double(device, dtype)
    double.metrics = frozenset({"itm", "mlm"})
    return double

def unknown_metric(device, dtype):
    double = Double(device, dtype)
    double.metrics = frozenset({"itm", "vqa"})
    return double

def other_mask(device, dtype):
    double = Double(device, dtype)
    double.mask = "<mask>"
    return double

def nullary():
    return Double("cpu", "float32")

number = 3
"""


@pytest.fixture
def double(tmp_path: Path) -> Path:
    path = tmp_path / "double.py"
    path.write_text(DOUBLE)
    return path


def test_albef_is_a_registered_family(tiny_folder: Path) -> None:
    assert load_model(f"albef:{tiny_folder / 'checkpoint.pth'}").name == "albef:checkpoint.pth"


def test_a_factory_in_a_file_takes_device_and_dtype(double: Path) -> None:
    model = load_model(f"{double}:make", dtype="float16")
    assert model.encode.__self__.asked == ("cpu", "float16")
    assert model.kinds == {"itm": "match-head"}


def test_a_factory_in_a_module_is_imported(double: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = double.parent / "zoo_of_mine"
    package.mkdir()
    double.rename(package / "double.py")
    monkeypatch.syspath_prepend(package.parent)
    assert load_model("zoo_of_mine.double:make").name == "double"


def test_kinds_that_a_model_names_are_left_alone(double: Path) -> None:
    assert load_model(f"{double}:kinded").kinds == {"itm": "sigmoid"}


@pytest.mark.parametrize("name", ["name", "fingerprint", "metrics", "kinds", "lacks", "mask"])
def test_what_a_model_says_of_itself_is_read_once(name: str, double: Path) -> None:
    said = {"name": "own", "fingerprint": "1", "metrics": {"itm"}, "kinds": {"itm": "sigmoid"}, "lacks": {"mlm": "no"}}
    property_that_tires = f"""
class Spent(Double):
    @property
    def {name}(self):
        if vars(self).get("tired"):
            raise SystemExit(0)
        return {(said | {"mask": "[MASK]"})[name]!r}
"""
    double.write_text(f"{DOUBLE}{property_that_tires}")
    model = load_model(f"{double}:Spent")
    model.encode.__self__.tired = True
    plain = {"name": "double", "fingerprint": "0", "metrics": {"itm"}, "kinds": {"itm": "match-head"}, "lacks": {}}
    assert {key: getattr(model, key) for key in plain} == {key: (said if key == name else plain)[key] for key in plain}
    assert isinstance(model, NamesWords | ClassifiesRegions) is False


@pytest.mark.parametrize("spec", ["albfe:x.pth", "albeff", "ALBEF_4M.pth", "", "no.such.module:make"])
def test_an_unknown_spec_is_told_what_is_accepted(spec: str) -> None:
    with pytest.raises(UsageError, match=r"model=.*albef.*Accepted: .*package\.module:factory, path/to/file\.py"):
        load_model(spec)


def test_a_misspelt_family_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'albef'"):
        load_model("albfe:x.pth")


@pytest.mark.parametrize(
    ("factory", "complaint"),
    [
        ("lacking", "gave 'object' without name, fingerprint, metrics, mask, encode"),
        ("no_metrics", "metrics None have to be some of mlm, itm"),
        ("nameless_weights", "fingerprint has to be a text"),
        ("exits", "SystemExit: 3"),
        ("panics", "PanicException: retry-limit-in-match over"),
        ("mumbles", "Mumbled: its message cannot be read, RuntimeError"),
        ("headless", "gave 'Double' without mlm"),
        ("unknown_metric", "metrics .*vqa.* some of mlm, itm"),
        ("other_mask", r"mask has to be '\[MASK\]', not '<mask>'"),
        ("nullary", "takes device and dtype"),
        ("number", "takes device and dtype"),
        ("mak", "has no 'mak'. Did you mean 'make'"),
    ],
)
def test_what_a_factory_gets_wrong_is_named(factory: str, complaint: str, double: Path) -> None:
    with pytest.raises(UsageError, match=complaint):
        load_model(f"{double}:{factory}")


@pytest.mark.parametrize("content", ["import no_such_package", "def make(:"])
def test_a_file_that_cannot_be_imported_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(content)
    with pytest.raises(UsageError, match=r"broken\.py cannot be imported"):
        load_model(f"{tmp_path / 'broken.py'}:make")


def test_a_module_that_lacks_a_package_is_not_called_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"broken_module cannot be imported.*no_such_package.*broken_module\.py:1"):
        load_model("broken_module:make")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.py: no such file"):
        load_model(f"{tmp_path / 'gone.py'}:make")


@pytest.mark.parametrize("there", [True, False])
def test_a_python_file_without_a_function_is_no_checkpoint(double: Path, *, there: bool) -> None:
    path = double if there else double.with_name("gone.py")
    with pytest.raises(UsageError, match=rf"is a Python file: name a function or class in it, {path}:NAME\.$"):
        load_model(str(path))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"dtype": "float31"}, "dtype='float31'.*Did you mean 'float32'"),
        ({"device": "gpu"}, "device='gpu'.*cpu, cuda, cuda:N, mps, auto"),
        ({"device": "cuda:x"}, "device='cuda:x'"),
        ({"device": "cuda:99"}, r"device='?cuda:99'?: this machine has (\d+ such devices|no GPU that can be used \()"),
        ({"device": "cuda:0,cuda:1"}, "device='cuda:0,cuda:1': no such device. Accepted: cpu, cuda, cuda:N, mps"),
        ({"device": "cuda:0,1"}, "device='cuda:0,1': no such device"),
        ({"device": "cuda:"}, "device='cuda:': no such device"),
        ({"device": "cuda:-1"}, "device='cuda:-1': no such device"),
        ({"device": f"cuda:{'9' * 5000}"}, "no such device"),
    ],
)
def test_an_unknown_device_or_dtype_is_told_what_is_accepted(
    options: dict[str, str], complaint: str, double: Path
) -> None:
    with pytest.raises(UsageError, match=complaint):
        load_model(f"{double}:make", **options)


def test_loading_a_model_without_torch_needs_no_torch(double: Path) -> None:
    script = (
        f"import sys; from vlcheck import load_model; load_model({f'{double}:make'!r});"
        "print({'torch', 'transformers', 'timm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_factory_that_raises_is_quoted_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "double.py"
    path.write_text(DOUBLE)
    with pytest.raises(UsageError, match=r"cannot be loaded\. RuntimeError: no such weights \(.*double\.py:\d+\)"):
        load_model(f"{path}:raising")


def test_a_file_that_raises_when_it_is_imported_is_quoted_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import os\nnothing\n")
    with pytest.raises(UsageError, match=r"cannot be imported\. NameError: .*nothing.* \(.*broken\.py:2\)"):
        load_model(f"{path}:factory")


def test_a_score_kind_that_no_report_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "double.py"
    path.write_text(DOUBLE)
    with pytest.raises(UsageError, match=r"kinds {'itm': 'guess'}: .*match-head"):
        load_model(f"{path}:odd_kind")


@pytest.fixture
def with_code(tmp_path: Path) -> Path:
    """A checkpoint whose tokenizer is code of its own, which leaves a trace where it runs."""
    folder = clip(tmp_path / "clip")
    trace = tmp_path / "trace"
    (folder / "spelling.py").write_text(
        "from pathlib import Path\n\nfrom transformers import BertTokenizer\n\n"
        f"Path({str(trace)!r}).touch()\n\n\nclass Spelling(BertTokenizer):\n    pass\n"
    )
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text()) | {
        "tokenizer_class": "Spelling",
        "auto_map": {"AutoTokenizer": ["spelling.Spelling", None]},
    }
    path.write_text(json.dumps(config))
    return folder


def test_code_of_a_checkpoint_does_not_run_unless_that_is_asked_for(with_code: Path) -> None:
    trace = with_code.parent / "trace"
    plain = load_model(str(with_code))  # with transformers' own class, as it has one
    assert type(plain.texts.tokenizer).__name__ != "Spelling"
    assert not trace.exists()
    trusting = load_model(str(with_code), trust_remote_code=True)
    assert type(trusting.texts.tokenizer).__name__ == "Spelling"
    assert trace.exists()


def test_code_of_a_wrapped_checkpoint_runs_if_that_is_asked_for(with_code: Path) -> None:
    trace = with_code.parent / "trace"
    load_model(f"symmetrised:{with_code}")
    assert not trace.exists()
    load_model(f"symmetrised:{with_code}", trust_remote_code=True)
    assert trace.exists()


def test_a_checkpoint_that_needs_code_of_its_own_is_told_how_to_allow_it(with_code: Path) -> None:
    path = with_code / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "of-nobody"}))
    with pytest.raises(UsageError, match="set trust_remote_code if"):
        load_model(str(with_code))
    assert not (with_code.parent / "trace").exists()


def test_code_that_may_run_is_part_of_the_fingerprint(with_code: Path) -> None:
    first = load_model(str(with_code), trust_remote_code=True).fingerprint
    with (with_code / "spelling.py").open("a") as file:
        file.write("# changed\n")
    assert load_model(str(with_code), trust_remote_code=True).fingerprint != first


HELPED = """
import helper

def make(device, dtype):
    import late
    double = helper.Double(device, dtype)
    double.name = late.NAME
    return double
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A factory that imports what lies beside it, once when it is imported and once when it is called."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("helper", "late", "team", "team.factory"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "factory.py").write_text(HELPED)
    (folder / "helper.py").write_text(DOUBLE)
    (folder / "late.py").write_text("NAME = 'late'")
    return folder


def test_a_factory_in_a_file_imports_what_lies_beside_it_from_any_folder(beside: Path) -> None:
    assert load_model(f"{beside}/factory.py:make").name == "late"


def test_a_factory_is_found_in_a_package_of_the_current_folder(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (beside / "__init__.py").write_text("")
    (beside / "factory.py").write_text(HELPED.replace("import helper", "from team import helper, late"))
    (beside / "factory.py").write_text((beside / "factory.py").read_text().replace("    import late\n", ""))
    monkeypatch.chdir(beside.parent)
    assert load_model("team.factory:make").name == "late"


def test_a_factory_in_a_file_imports_from_the_current_folder(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (beside / "helper.py").rename(beside.parent / "helper.py")
    monkeypatch.chdir(beside.parent)
    assert load_model("team/factory.py:make").name == "late"


def test_a_file_that_imports_from_its_own_package_is_told_how_it_is_named(beside: Path) -> None:
    (beside / "factory.py").write_text("from . import helper\n")
    with pytest.raises(UsageError, match=r"factory\.py:1\); a module of a package is named by it, as package\.module"):
        load_model(f"{beside}/factory.py:make")


def test_two_factories_do_not_share_a_helper_by_its_name(beside: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "factory.py").write_text("from helper import Double as make\n")
    (other / "helper.py").write_text(DOUBLE)
    load_model(f"{beside}/factory.py:make")
    with pytest.raises(UsageError, match=rf"imports {other}/helper\.py, and got {beside}/helper\.py, which was"):
        load_model(f"{other}/factory.py:make")


JSON = "import json\n\ndef make(device, dtype):\n    return json.loads('{')\n"
PATH = "import helper\n\ndef make(device, dtype):\n    return helper.fails()\n"
INIT = "class make:\n    def __init__(self, device, dtype):\n        {}['weights']\n"
VLCHECK = "from vlcheck import load_model\nload_model('absent.py:absent')\n"
SILENT = "class E(Exception):\n    def __str__(self): 1 / 0\nraise E\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (JSON, r"JSONDecodeError: .*factory\.py:4\)"),
        (PATH, r"ValueError: embedded null byte \(.*helper\.py:4\)"),
        (INIT, r"KeyError: 'weights' \(.*factory\.py:3\)"),
        (VLCHECK, r"UsageError: .*factory\.py:2\)"),
        (SILENT, r"E: its message cannot be read, ZeroDivisionError \(.*factory\.py:3\)"),
        ("import os\ndef make(:\n", r"SyntaxError: invalid syntax \(.*factory\.py:2\)"),
    ],
)
def test_an_error_shows_the_users_own_line(beside: Path, content: str, said: str) -> None:
    (beside / "factory.py").write_text(content)
    (beside / "helper.py").write_text("from pathlib import Path\n\ndef fails():\n    Path('\\0').read_text()\n")
    with pytest.raises(UsageError, match=said):
        load_model(f"{beside}/factory.py:make")


RAISED = ("SystemExit(0)", "GeneratorExit", "BaseException('odd')", "pytest.skip.Exception('not today')")


@pytest.mark.parametrize("raised", RAISED)
def test_a_module_and_a_property_may_raise_anything(beside: Path, raised: str) -> None:
    (beside / "broken.py").write_text(f"import pytest\nraise {raised}\n")
    with pytest.raises(UsageError, match=r"broken\.py cannot be imported\. \w+.* \(.*broken\.py:2\)"):
        load_model(f"{beside / 'broken.py'}:make")
    with pytest.raises(UsageError, match=r"broken cannot be imported\. \w+.* \(.*broken\.py:2\)"):
        load_model("broken:make")
    fails = f"    @property\n    def kinds(self):\n        import pytest; raise {raised}\n"
    (beside / "helper.py").write_text(DOUBLE.replace("    def __init__", f"{fails}\n    def __init__", 1))
    with pytest.raises(UsageError, match=r"gave 'Double', which fails\. \w+.* \(.*helper\.py:\d+\)"):
        load_model(f"{beside}/factory.py:make")


def test_a_property_that_fails_is_told_with_its_line(beside: Path) -> None:
    fails = "    @property\n    def kinds(self):\n        return {}[0]\n"
    (beside / "helper.py").write_text(DOUBLE.replace("    def __init__", f"{fails}\n    def __init__", 1))
    with pytest.raises(UsageError, match=r"gave 'Double', which fails\. KeyError: 0 \(.*helper\.py:\d+\)"):
        load_model(f"{beside}/factory.py:make")
