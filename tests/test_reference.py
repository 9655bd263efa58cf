"""The pages of docs/reference/ list what the code has, and nothing else."""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass

import pytest
from msgspec.structs import fields as fields_of_record

import vlcheck
from tests.conftest import ROOT
from tests.documents import TEXTS
from vlcheck import expect, perturb
from vlcheck.datasets.jsonl import _FIELDS
from vlcheck.datasets.tags import TAGS
from vlcheck.policy.policy import BUILT_IN, METRICS, RULE, SCALING, TOLERANCES, UNDECIDED, Known, Margins
from vlcheck.report.table import COLUMNS
from vlcheck.results import records
from vlcheck.results.words import WordKnowledgeRecord


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes:
        section: the heading above it.
        head: its first line.
        rows: the cells of its other lines.
    """

    section: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> list[str]:
        """What stands in backticks in the first column."""
        return [name for row in self.rows for name in re.findall(r"`(.+?)`", row[0])]


def tables(page: str) -> Iterator[Table]:
    for section in re.split(r"^#+ ", TEXTS[f"docs/reference/{page}.md"], flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            head, _, *rows = (
                tuple(cell.strip() for cell in line.strip("|\n").split(" | ")) for line in lines.splitlines()
            )
            yield Table(heading, head, tuple(rows))


def table(page: str, section: str, first: str) -> Table:
    """Return the one table of a section whose first column has this head."""
    (found,) = [one for one in tables(page) if one.section == section and one.head[0] == first]
    return found


@pytest.mark.parametrize(
    ("record", "section", "first"),
    [
        (records.RunRecord, "run", "key"),
        (records.ImageRecord, "image", "key"),
        (records.EvidenceRecord, "evidence", "key"),
        (records.VerdictRecord, "verdict", "key"),
        (records.ExplanationRecord, "explanation", "key"),
        (records.FaultRecord, "fault", "key"),
        (records.IdentityRecord, "identity", "key"),
        (records.PrecisionRecord, "precision", "key"),
        (records.DifferenceRecord, "differences", "key"),
        (records.WordsLine, "words", "key"),
        (WordKnowledgeRecord, "found", "key"),
        (records.MethodRecord, "explained", "key"),
        (records.ContractRecord, "contract", "key"),
        (records.WrapperRecord, "wrappers", "key"),
        (records.StatedRecord, "stated", "key"),
        (records.WordingRecord, "wordings", "key"),
        (records.ToldRecord, "told", "key"),
        (records.PolicyInForce, "policy", "key"),
        (records.KnownBias, "policy", "key of a known bias"),
        (records.ScaleRecord, "scale", "key"),
        (records.ExcuseRecord, "known", "key"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_each_key_of_a_record_is_listed_once(record, section, first):
    listed = table("results", section, first).names
    assert sorted(listed) == sorted(field.encode_name for field in fields_of_record(record))


def test_each_record_is_described():
    every = {name for name, one in vars(records).items() if inspect.isclass(one) and issubclass(one, records.Record)}
    (parameters,) = test_each_key_of_a_record_is_listed_once.pytestmark
    assert every - {"Record", "LaterRecord"} == {one.__name__ for one, *_ in parameters.args[1]} - {
        "WordKnowledgeRecord"
    }


def test_each_tag_and_each_key_of_a_case_is_listed():
    assert set(table("tags", "Tags of cases", "tags").names) == TAGS
    assert sorted(table("tags", "Tags of cases", "key").names) == sorted(_FIELDS)


def test_each_key_of_the_policy_is_listed_with_its_default():
    listed = {
        name.split()[-1]: row[1]
        for row in table("policy", "Tables", "key").rows
        for name in re.findall("`(.+?)`", row[0])
    }
    assert listed.keys() == {"required", *RULE, *SCALING, *UNDECIDED}
    for key, default in listed.items():
        if key != "required":
            value = tomllib.loads(f"value = {default}")["value"]
            assert (tuple(value) if isinstance(value, list) else value) == BUILT_IN[key], key


def test_each_tolerance_is_listed_as_the_shipped_policy_has_it():
    listed = table("policy", "Tolerances", "key")
    assert listed.names == list(TOLERANCES)
    assert [name.strip("`") for name in listed.head[1 : 1 + len(METRICS)]] == list(METRICS)
    shipped = tomllib.loads((ROOT / "fixtures" / "policy.toml").read_text(encoding="utf-8"))["tolerances"]
    for row in listed.rows:
        for metric, value in zip(METRICS, row[1:], strict=False):
            if value != "-":
                assert float(value) == shipped[metric].get(row[0].strip("`"), BUILT_IN[row[0].strip("`")]), (
                    row,
                    metric,
                )


def test_each_key_of_a_known_bias_is_listed():
    written_there = {one.name for one in fields(Known)} - {"path", "number", "expired"}  # which no entry says of itself
    assert set(table("policy", "Known biases", "key of `[[known]]`").names) == written_there


def test_each_margin_of_parity_is_listed_as_the_shipped_policy_has_it():
    listed = {name: float(row[1]) for row in table("policy", "Parity", "key of `[parity]`").rows for name in [row[0]]}
    shipped = tomllib.loads((ROOT / "fixtures" / "policy.toml").read_text(encoding="utf-8"))["parity"]
    assert listed == {f"`{name}`": value for name, value in shipped.items()}
    assert shipped == vars(Margins())


def parameters(of: object) -> dict[str, object]:
    """Return the parameters of a dataclass, with their defaults, `...` where there is none."""
    if not is_dataclass(of):
        return {}
    return {one.name: ... if one.default is MISSING else one.default for one in fields(of)}


def written(call: str) -> tuple[str, dict[str, object]]:
    """Return the name and the parameters of a call as a page has it, e.g. "Blur(radius=0.004)"."""
    parsed = ast.parse(call, mode="eval").body
    assert isinstance(parsed, ast.Call)
    names = {ast.unparse(one): ... for one in parsed.args}
    return ast.unparse(parsed.func), names | {str(one.arg): ast.literal_eval(one.value) for one in parsed.keywords}


def test_each_perturbation_is_listed_with_its_parameters():
    bases = {perturb.Perturbation, perturb.OfThePicture, perturb.Labelled}
    public = {name: getattr(perturb, name) for name in perturb.__all__}
    there = {name: one for name, one in public.items() if inspect.isclass(one) and "__call__" in dir(one)}
    wanted = {name: parameters(one) for name, one in there.items() if one not in bases and name != "Compose"}
    several = ("Compose", "Each")
    listed = dict(map(written, table("behaviors", "Perturbations", "perturbation").names))
    assert {name: said for name, said in listed.items() if name not in several} == {
        name: own for name, own in wanted.items() if name not in several
    }
    assert listed.keys() >= set(several)


def test_each_expectation_is_listed_with_its_parameters():
    public = [getattr(expect, name) for name in expect.__all__]
    there = [one for one in public if inspect.isclass(one) and issubclass(one, expect.BaseExpectation)]
    listed = dict(map(written, table("behaviors", "Expectations", "expectation").names))
    assert listed == {one.__name__: parameters(one) for one in there if one is not expect.BaseExpectation}


@pytest.mark.parametrize(("section", "function"), [("The decorator", vlcheck.behavior), ("Cases", vlcheck.with_target)])
def test_each_argument_is_listed(section, function):
    assert set(table("behaviors", section, "argument").names) == set(inspect.signature(function).parameters)


def test_each_attribute_of_a_view_is_listed():
    listed = table("behaviors", "A perturbation of your own", "`view.`")
    assert sorted(name for name in listed.names) == sorted(one.name for one in fields(perturb.View))


def test_the_columns_of_the_table_of_verdicts_are_listed_with_type_and_meaning():
    listed = table("verdict-table", "Columns", "column")
    assert listed.rows == tuple((f"`{one.name}`", one.kind, one.meaning) for one in COLUMNS)


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs" / "reference").glob("*.md")))
def test_no_table_has_two_rows_of_one_name(page):
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        cells = [row.split("|")[1].strip() for row in table.splitlines()]
        assert [cell for cell in set(cells) if cell.startswith("`") and cells.count(cell) > 1] == []
