"""The results file, whole and broken."""

import json
import resource

import pytest

from tests.report.pages import FAULT, WORDS
from vlcheck.errors import UsageError
from vlcheck.results.file import ResultLines, read, write_results
from vlcheck.results.parts import Part, gather
from vlcheck.results.schema import encoded, line_of, record_of

KEY = ("test_a", "a", "mlm")
RUN = {"kind": "run", "schema": 1, "name": "a model", "fingerprint": "f", "data": "scenes", "started": "today"}


def verdict(test="test_a", status="pass"):
    named = {"kind": "verdict", "test": test, "bias": "color", "behavior": "a", "metric": "mlm"}
    return named | {"score_kind": "masked-lm", "claim": "rate", "status": status, "reason": ""}


def row(case, test="test_a"):
    named = {"kind": "evidence", "test": test, "metric": "mlm", "case": case}
    return named | {"image": "i", "perturbed": None, "texts": [], "margin": 0.1}


def image(key):
    return {"kind": "image", "key": key, "sha256": key, "jpeg": ""}


def test_parts_come_together_with_each_image_once(tmp_path):
    for name, test in (("gw0", "test_b"), ("gw1", "test_a")):
        part = Part(tmp_path, name)
        part.keep(map(record_of, [RUN | {"unjudged": ["test_a", "test_b", "test_c"]}]))
        part.keep(map(record_of, [image("i"), row("one", test), verdict(test)]))
        part.keep(map(record_of, [image("i"), image("j"), row("two", test), verdict(test)]))
    results = gather(tmp_path)
    written = [json.loads(text) for text in results.lines()]
    assert [line["test"] for line in written if line["kind"] == "verdict"] == ["test_a", "test_b"]
    assert list(results.images) == ["i", "j"]
    assert results.run.unjudged == ["test_c"]
    assert results.rows(KEY) == [record_of(row("two"))]
    assert (tmp_path / "gw0.part.jsonl").read_text().count('"jpeg"') == 2


def test_verdicts_of_processes_that_have_loaded_different_models_are_invalid(tmp_path):
    for name, fingerprint in (("gw0", "f"), ("gw1", "f"), ("gw2", "g")):
        Part(tmp_path, name).keep(map(record_of, [RUN | {"fingerprint": fingerprint}, verdict(f"test_{name}")]))

    results = gather(tmp_path)

    assert results.changed.startswith("Worker gw2 has loaded another model than gw0, ")
    assert {(one.status, one.cause) for one in results.verdicts.values()} == {("invalid", "changed")}
    assert [json.loads(line)["process"] for line in results.lines() if "identity" in line] == ["gw2"]


@pytest.mark.parametrize("kept", [1, 20, 120])
def test_a_part_that_was_cut_short_holds_whole_verdicts_and_no_half_one(tmp_path, kept):
    part = Part(tmp_path, "gw0")
    part.keep(map(record_of, [row("one"), verdict()]))
    whole = (tmp_path / "gw0.part.jsonl").read_text()
    part.keep(map(record_of, [row("two", "test_b"), verdict("test_b")]))
    path = tmp_path / "gw0.part.jsonl"
    path.write_text(path.read_text()[: len(whole) + kept])
    results = gather(tmp_path)
    assert [key[0] for key in results.verdicts] == ["test_a"]
    assert results.rows(KEY) == [record_of(row("one"))]


def test_an_explanation_that_cannot_be_read_loses_no_verdict(tmp_path):
    part = Part(tmp_path, "gw0")
    named = {"kind": "explanation", "test": "test_a", "metric": "mlm", "case": "one", "side": "before", "rank": 1}
    part.keep(map(record_of, [row("one"), verdict()]))
    with (tmp_path / "gw0.part.jsonl").open("a") as file:
        print(json.dumps(named | {"method": "lrp", "rows": 1, "columns": 2, "values": [1.0, None]}), file=file)
    part.keep(map(record_of, [row("two", "test_b"), verdict("test_b")]))
    results = gather(tmp_path)
    assert [key[0] for key in results.verdicts] == ["test_a", "test_b"]
    assert results.explanations == []


def test_what_a_full_disk_cuts_short_spoils_nothing_that_follows(tmp_path):
    """The limit of a file's size stands for it."""
    part = Part(tmp_path, "gw0")
    part.keep(map(record_of, [RUN | {"unjudged": ["test_a", "test_b"]}]))
    before, there = resource.getrlimit(resource.RLIMIT_FSIZE), (tmp_path / "gw0.part.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (there + 100, before[1]))
    try:
        with pytest.raises(UsageError, match=r"^TMPDIR .*gw0\.part\.jsonl: the results cannot be kept there"):
            part.keep(map(record_of, [row("one"), verdict("test_b")]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    part.keep(map(record_of, [row("two"), verdict()]))
    results = gather(tmp_path)
    assert results.rows(KEY) == [record_of(row("two"))]
    assert results.run.unjudged == ["test_b"]


def test_keys_of_a_later_version_are_read_over_and_not_written_again_but_in_evidence(tmp_path):
    """docs/reference/results.md says so; evidence is kept as it is spelled."""
    path = tmp_path / "results.jsonl"
    lines = [RUN, image("i"), row("one"), verdict()]
    path.write_text("".join(f"{json.dumps(line | {'later': line['kind']})}\n" for line in lines))
    results = read(path)
    assert [record.case for record in results.rows(KEY)] == ["one"]
    write_results(path, results)
    again = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["kind"] for line in again] == ["run", "image", "evidence", "verdict"]
    assert [line.get("later") for line in again] == [None, None, "evidence", None]


def test_a_line_of_a_kind_of_a_later_version_is_counted_and_read_over(tmp_path):
    path = tmp_path / "results.jsonl"
    lines = [RUN | {"lines": 4}, row("one"), {"kind": "hologram", "test": "test_a"}, verdict()]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [record.case for record in read(path).rows(KEY)] == ["one"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines if line["kind"] != "hologram"))
    with pytest.raises(UsageError, match="promises 4 lines, and 3 follow"):
        read(path)


def explanation(**changed):
    where = {"test": "test_a", "metric": "mlm", "case": "one", "perturbation": "grey v1", "side": "after", "rank": 1}
    return {
        "kind": "explanation",
        **where,
        "method": "gradcam",
        "rows": 2,
        "columns": 1,
        "values": [0.5, -1],
        **changed,
    }


def test_what_is_written_is_read_again(tmp_path):
    results = ResultLines(record_of(RUN))
    lines = [image("i"), row("caf\u00e9 \u2028"), verdict(), explanation(tokens=[["a", 0.1]]), FAULT, WORDS]
    results.add(encoded(record_of(line)) for line in lines)
    write_results(tmp_path / "results.jsonl", results)
    again = read(tmp_path / "results.jsonl")
    assert again.explanations == [record_of(lines[3])]
    assert (again.faults, again.words) == ({FAULT["test"]: record_of(FAULT)}, record_of(WORDS))
    assert (list(again.images), list(again.verdicts)) == (["i"], [KEY])
    assert again.rows(KEY)[0].case == "caf\u00e9 \u2028"
    write_results(tmp_path / "again.jsonl", again)
    assert read(tmp_path / "again.jsonl") == again
    first = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[0])
    assert first == line_of(record_of(RUN)) | {"verdicts": 1, "lines": 7}


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(UsageError, match=r"results .*results\.jsonl: cannot be written"):
        write_results(tmp_path / "results.jsonl", ResultLines(record_of(RUN)))
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ":1: not JSON"),
        ("[1]", ":1: no line of a results file"),
        (json.dumps(RUN) + '\n{"kind": "No Thing"}', ":2: no line of a results file"),
        (json.dumps(RUN | {"schema": 2}), ":1: schema 2; this vlcheck reads schema 1"),
        (json.dumps(RUN | {"data": None}), ":1: run line without 'data', which has to be text"),
        (json.dumps(RUN) + "\n" + json.dumps(verdict() | {"claim": 1}), ":2: verdict line without 'claim'"),
        (json.dumps(row("one") | {"margin": "0.1"}), ":1: evidence line without 'margin', .* a number or null"),
        (
            json.dumps(verdict() | {"tolerances": 0.1}),
            ":1: verdict line without 'tolerances', .* an object of numbers, or null",
        ),
        (
            "\n".join(map(json.dumps, (RUN, row("one")))),
            ":2: .* of test_a, of which no verdict follows; the file was cut",
        ),
        (json.dumps(RUN)[:-9], ":1: ends within the line; the file was cut short"),
        (f"{json.dumps(RUN)}\n{json.dumps(verdict())[:-9]}", ":2: ends within the line; the file was cut short"),
        (f"{json.dumps(RUN)}\n{json.dumps(verdict())[:-9]}\n", ":2: not JSON"),
        (
            json.dumps(RUN | {"verdicts": 2}) + "\n" + json.dumps(verdict()),
            ":1: promises 2 verdicts, and 1 follow; the file was cut",
        ),
        (
            "\n".join(map(json.dumps, (RUN, row("one"), verdict("test_b")))),
            ":2: is evidence of test_a, of which no verdict follows\\.",
        ),
        ("[" * 100_000, ":1: not JSON"),
        ('{"kind": "run", "schema": ' + "1" * 5000 + "}", ":1: not JSON"),
        (json.dumps(RUN | {"schema": True}), ":1: run line without 'schema', .* a whole number"),
        (json.dumps(row("one") | {"perturbation": ["a"]}), "without 'perturbation', .* text or null"),
        (json.dumps(row("one") | {"values": {"a": "b"}}), "without 'values', .* an object of numbers"),
        (json.dumps(row("one") | {"margin": True}), "without 'margin', .* a number or null"),
        (json.dumps(row("one") | {"margin": 10**400}), "without 'margin', .* a number or null"),
        (json.dumps(row("one")).replace("0.1", "1e999"), "without 'margin', .* a number or null"),
        (json.dumps(verdict() | {"tables": {"a": {"b": float("nan")}}}), "without 'tables'"),
        (json.dumps(verdict() | {"band": ["a", "b"]}), "without 'band', .* two numbers or null"),
        (json.dumps(verdict() | {"band": [0.1]}), "without 'band', .* two numbers or null"),
        (json.dumps(verdict() | {"status": "great"}), "without 'status', .* one of fail, invalid, inconclusive, pass"),
        (json.dumps(verdict() | {"claim": "all"}), 'without \'claim\', .* "rate", "mean" or "lead"'),
        (
            json.dumps(WORDS | {"found": [WORDS["found"][0] | {"n": -1}]}),
            ":1: words line without 'found', .* a list of",
        ),
        (json.dumps(FAULT | {"reason": 3}), ":1: fault line without 'reason', .* text"),
        (json.dumps(explanation(values=[0.5])), ":1: explanation line with 1 values for 2 rows of 1 columns"),
        (json.dumps(explanation(side="above")), ':1: explanation line without \'side\', .* "before" or "after"'),
        (
            json.dumps(explanation(values=[], rows=0, columns=0)),
            ":1: explanation line with neither values nor a reason",
        ),
        ('{"kind": "image"}', ":1: image line without 'key'"),
        ('{"kind": ["run"]}', ":1: no line of a results file"),
        ("", "holds no run"),
    ],
)
def test_a_file_that_holds_no_results_is_refused_by_line(tmp_path, text, said):
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(path)


def test_null_in_the_place_of_each_nan_is_read(tmp_path):
    """A model may answer NaN; the file has null for it, also that of an earlier vlcheck."""
    nan = dict.fromkeys(("before", "after", "margin", "effect")) | {
        "levels": [None, 0.1],
        "values": {"a": None},
    }
    nan |= {"scores": [{"dog": None}], "top_before": [["dog", None]], "top_after": [["dog", None]]}
    keys = ("mass", "rate", "rate_low", "rate_high", "p", "detectable", "effect", "effect_low", "effect_high")
    raw = {"demanded": "calibrated", "used": "raw", "reason": "too few"}
    scale = raw | dict.fromkeys(("gain", "offset", "power", "auc", "auc_low"))
    judged = (
        verdict() | dict.fromkeys(keys) | {"tables": {"t": {"x": None}}, "scale": scale, "tolerances": {"by": None}}
    )
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, [RUN, row("c") | nan, judged])))
    found = read(path)
    (read_row,) = found.rows(KEY)
    assert (read_row.margin, read_row.levels, read_row.scores) == (None, [None, 0.1], [{"dog": None}])
    assert found.verdicts[KEY].tables == {"t": {"x": None}}


def test_a_line_whose_keys_stand_in_another_order_is_the_same_line(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(json.dumps(line, sort_keys=True) for line in (RUN, row("one"), verdict())))
    assert read(path).rows(KEY) == [record_of(row("one"))]


@pytest.mark.parametrize("null", [True, False])
def test_what_a_line_may_lack_stands_in_it_all_the_same(tmp_path, null):
    path = tmp_path / "results.jsonl"
    named = ("score_kinds", "versions"), ("effect", "top_after", "scores"), ("n", "p", "detectable", "known", "tables")
    lacking = (RUN, row("one"), verdict())
    if null:
        lacking = (line | dict.fromkeys(names) for line, names in zip(lacking, named, strict=True))
    path.write_text("\n".join(map(json.dumps, lacking)))
    found = read(path)
    assert [getattr(found.run, name) for name in named[0]] == [{}, {}]
    assert [getattr(found.rows(KEY)[0], name) for name in named[1]] == [None] * 3
    assert [getattr(found.verdicts[KEY], name) for name in named[2]] == [None, None, None, None, {}]


def test_a_part_writes_a_line_when_it_comes(tmp_path):
    part, path = Part(tmp_path, "one"), tmp_path / "one.part.jsonl"
    written = []

    def lines():
        for number in range(300):
            written.append(path.stat().st_size)
            yield record_of(image(f"{number}") | {"jpeg": "x" * 1_000})

    part.keep(lines())
    assert written[0] == 0
    assert 100_000 < written[150] < written[299] < path.stat().st_size
    assert part.images == {f"{number}" for number in range(300)}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_part_has_none_of_the_lines_that_end_in_an_error(tmp_path, error):
    part = Part(tmp_path, "one")
    part.keep(map(record_of, [RUN, row("one"), verdict()]))
    before = (tmp_path / "one.part.jsonl").read_bytes()

    def lines():
        for number in range(300):
            yield record_of(image(f"{number}") | {"jpeg": "x" * 1_000})
        raise error

    with pytest.raises(error):
        part.keep(lines())
    assert (tmp_path / "one.part.jsonl").read_bytes() == before
    assert part.images == set()


def test_a_part_has_a_picture_once_more_with_its_larger_copy(tmp_path):
    part, small = Part(tmp_path, "one"), image("red")
    large = small | {"large": "bGFyZ2U="}
    for line in (small, small, large, large, small):
        part.keep([record_of(line)])
    kept = [json.loads(line) for line in (tmp_path / "one.part.jsonl").read_text().splitlines()]
    assert [line.get("large") for line in kept] == [None, "bGFyZ2U="]
    assert (part.images, part.enlarged) == ({"red"}, {"red"})


def test_a_file_that_ends_within_a_letter_was_cut_short(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_bytes(f'{json.dumps(RUN)}\n{{"kind": "verdict", "test": "test_é'.encode()[:-1])
    with pytest.raises(UsageError, match=":2: ends within the line; the file was cut short"):
        read(path)
