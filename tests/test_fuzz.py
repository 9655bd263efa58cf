"""Files of others, changed at random: each parser reads them or says what is wrong, and raises nothing else.

VLCHECK_FUZZ says how many changed files a parser is given; what failed is told by its seed.
"""

import json
import os
import random
import struct
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from tests.datasets.conftest import Folder
from tests.datasets.foils.conftest import Published, aro_pair, sugarcrepe_pair, valse_pair, winoground_example
from tests.datasets.tables.samples import pictures, samples, write_parquet, write_shard
from tests.equivalence import sides
from tests.plugin.conftest import write_cases
from tests.report.pages import small
from vlcheck.audit.corpus import open_corpus
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tables.columns import parse_columns
from vlcheck.equivalence.kept import Kept
from vlcheck.equivalence.report import report_on
from vlcheck.equivalence.text import report_lines, report_markdown
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.documents import check_documents, check_one_template
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.original.albef.config import stated_sizes
from vlcheck.models.original.vilbert.config import read_config as vilbert_config
from vlcheck.models.original.vilt.weights import _stated_sizes as vilt_sizes
from vlcheck.models.original.xvlm.config import read_config as xvlm_config
from vlcheck.models.regions.precomputed import RegionFiles
from vlcheck.policy.policy import Margins
from vlcheck.policy.toml_file import load_policy
from vlcheck.report.markdown.model_card import card
from vlcheck.report.page import draw
from vlcheck.report.text import comparison as comparison_lines
from vlcheck.report.text.words import words_lines
from vlcheck.results import comparison
from vlcheck.results.file import read
from vlcheck.results.schema import encoded
from vlcheck.results.words import WordAnswerRecord, WordKnowledgeRecord, WordsRecord, read_words, words_json
from vlcheck.suite.diff import read_record
from vlcheck.suite.shipped import lexicons_path, policy_path

FILES = int(os.environ.get("VLCHECK_FUZZ", "25"))
DATA = Path(__file__).parent / "data"
ODD = (
    *(None, True, -1, 0, 1.5, 10**400, -(10**18), 1e300, "", " ", "\0", "\ud800", "é\u2028\x1b[2J", "a" * 5000),
    *("/etc/passwd", "../up.jpg", "x/" * 2000, [], {}, [[]], {"a": {"b": []}}, [1, "a", None], {"": 1}),
)
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "[" * 300 + "]" * 300, "[" * 90 + "]" * 90)
BYTES = (b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"{", b"[" * 5000, b"\r\n", b"\n\n", b"]]}}", b"\x80\x81")


def odd_bytes(rng: random.Random, content: bytes) -> bytes:
    """Cut, repeat, or put something between."""
    one, other = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice(
        (
            lambda: content[:one],
            lambda: content[:one] + content[other:],
            lambda: content[:other] + content[one:],
            lambda: content[:one] + rng.choice(BYTES) + content[one:],
            lambda: content[:one] + rng.randbytes(4) + content[one + 4 :],
        )
    )()


def odd_json(rng: random.Random, content: bytes) -> bytes:
    """Put something else in the place of a value, leave a key out, or say it twice."""
    lines = content.splitlines() if b'\n{"' in content else [content]
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    places = [*_places(value)]
    part, key = rng.choice(places)
    kind = rng.randrange(4)
    if kind == 0 and isinstance(part, dict):
        del part[key]
    elif kind == 1:
        part[key] = "HERE"
    else:
        part[key] = rng.choice(ODD)
    text = json.dumps(value).replace('"HERE"', rng.choice(NUMBERS))
    if kind == 3:
        text = text.replace("{", '{"id": 1, "id": 2, ', 1)
    lines[at] = text.encode()
    return b"\n".join(lines)


def odd_toml(rng: random.Random, content: bytes) -> bytes:
    """Put another value behind a key."""
    lines = content.decode().splitlines()
    at = rng.choice([number for number, line in enumerate(lines) if " = " in line])
    values = (
        "1e999",
        "nan",
        "1" * 5000,
        "[" * 2000 + "]" * 2000,
        '""',
        "{}",
        "[[[]]]",
        "1979-05-27",
        '"\\u0000"',
        "-1",
    )
    key, *_ = lines[at].split(" = ")
    lines[at] = rng.choice((f"{key} = {rng.choice(values)}", f"{'a.' * 3000}{key.strip()} = 1", f"[{key}]"))
    return "\n".join(lines).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def fuzzed(
    path: Path, parse: Callable[[], object], *changes: Callable[[random.Random, bytes], bytes], files: int = FILES
) -> set[str]:
    """Change a file again and again; return what came of it by kind."""
    content = path.read_bytes()
    came: dict[str, str] = {}
    for seed in range(files):
        rng = random.Random(f"{path.name} {seed}")
        changed = rng.choice(changes)(rng, content)
        path.write_bytes(changed)
        try:
            parse()
            came.setdefault("read", "")
        except UsageError as error:
            came.setdefault("refused", str(error))
        except Exception as error:
            error.add_note(f"seed {seed}: {changed[:500]!r}")
            raise
    path.write_bytes(content)
    return set(came)


def test_results_and_what_is_drawn_of_them(tmp_path):
    path = tmp_path / "results.jsonl"
    lines = [*small().lines()]
    path.write_text("".join(f"{line}\n" for line in lines))
    whole = read(path)

    def parse():
        found = read(path)
        card(found).encode()
        "".join(comparison_lines.comparison_lines(comparison.compare_runs(whole, found, 0.05))).encode(
            errors="backslashreplace"
        )
        draw(found, source=path.name).encode()

    assert fuzzed(path, parse, odd_json, odd_json, odd_bytes) == {"read", "refused"}


def test_kept_answers_of_parity(tmp_path):
    path = sides.written(
        tmp_path / "a.parity",
        [
            sides.case("x", sides.match(0.9, 0.1), sides.words(0.5, 0.2)),
            sides.case("drawn flat red", sides.match(0.9, 0.1), probe=True),
        ],
    ).path

    def parse():
        report = report_on(Kept.open(path), Kept.open(path), Margins())
        report_markdown(report).encode()
        "".join(report_lines(report)).encode()
        report.to_json()

    assert fuzzed(path, parse, odd_json, odd_bytes, files=max(FILES, 80)) == {"read", "refused"}


def test_cases_of_ones_own(tmp_path):
    path = write_cases(tmp_path, 6)

    def parse():
        source = open_source(f"jsonl:{path}")
        source.offer.audit()
        return source.fitting

    assert fuzzed(path, parse, odd_json, odd_json, odd_bytes) == {"read", "refused"}


@pytest.mark.parametrize("name", ["captions", "instances", "person_keypoints"])
def test_annotations_of_coco(tmp_path, name):
    folder = Folder(tmp_path)
    for words in ("a dog on the left of a bus", "a man holds a cup in his left hand", "a red bus"):
        number = folder.photograph(words, words, instances=[("dog", 10, 10, 50, 50), ("bus", 80, 20, 90, 60)])
        folder.person(number, left_wrist=(20, 30), left_elbow=(25, 40))
    root = folder.write()
    parse = lambda: open_source(f"coco:{root}").fitting  # noqa: E731
    assert fuzzed(folder.annotations(name), parse, odd_json, odd_json, odd_bytes) == {"read", "refused"}


@pytest.mark.parametrize("name", ["captions.json", "list.json", "captions.jsonl", "captions.txt", "captions.tar"])
def test_corpora(tmp_path, name):
    rows = [{"image_id": at, "caption": f"a red bus {at}", "boxes": [["bus", 0.1, 0.2, 0.3, 0.4]]} for at in range(9)]
    path = tmp_path / name
    {
        "captions.json": lambda: path.write_text(json.dumps({"info": {"a": [1]}, "annotations": rows, "type": "x"})),
        "list.json": lambda: path.write_text(json.dumps(rows)),
        "captions.jsonl": lambda: path.write_text("\n".join(map(json.dumps, rows))),
        "captions.txt": lambda: path.write_text("\n".join(row["caption"] for row in rows)),
        "captions.tar": lambda: write_shard(
            path, [(str(at), {"txt": "a", "json": row}) for at, row in enumerate(rows)]
        ),
    }[name]()

    def parse():
        corpus = open_corpus(path)
        return [caption for chunk in corpus for caption in chunk], [*corpus.unread.lines()]

    changes = (odd_json, odd_bytes) if name.endswith(("json", "jsonl")) else (odd_bytes,)
    assert fuzzed(path, parse, *changes) <= {"read", "refused"}


@pytest.mark.parametrize("name", ["a.parquet", "a.tar", "a.toml"])
def test_tables(tmp_path, name):
    path = tmp_path / name
    if name == "a.toml":
        path.write_text('caption = "text"\nimage = "jpg"\n')
        fuzzed(path, lambda: parse_columns(str(path)), odd_toml, odd_bytes)
        return
    if name == "a.tar":
        write_shard(path, samples())
    else:
        pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")
        write_parquet(path, {"image": pictures(), "caption": ["a red bus"] * 3, "tags": [["object"]] * 3})
    scheme = "webdataset" if name == "a.tar" else "parquet"
    assert "refused" in fuzzed(
        path, lambda: open_source(f"{scheme}:{path}").fitting, odd_bytes, files=max(FILES // 2, 10)
    )


@pytest.mark.parametrize(
    ("scheme", "name", "content", "picture"),
    [
        ("sugarcrepe", "add_att.json", {f"{n}": sugarcrepe_pair(n) for n in range(3)}, "000000000001.jpg"),
        ("valse", "existence.json", {f"{n}": valse_pair(f"{n}.jpg") for n in range(3)}, "1.jpg"),
        (
            "whatsup",
            "controlled_images_dataset.json",
            [{"image_path": "1.jpg", "caption_options": ["on", "under"]}] * 3,
            "1.jpg",
        ),
        ("whatsup", "coco_qa_one_obj.json", [[n, f"{n} on", f"{n} under"] for n in range(3)], "000000000001.jpg"),
        ("aro", "visual_genome_relation.json", [aro_pair(f"{n}.jpg") for n in range(3)], "1.jpg"),
        ("winoground", "examples.jsonl", [winoground_example(n) for n in range(3)], "ex_1_img_0.png"),
    ],
)
def test_foil_suites(tmp_path, scheme, name, content, picture):
    suite = Published(tmp_path, scheme)
    path = suite.write(name, content)
    suite.picture(picture)
    suite.picture(picture.replace("img_0", "img_1"))
    assert fuzzed(path, lambda: suite.open().fitting, odd_json, odd_json, odd_bytes) == {"read", "refused"}


def test_policies(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(policy_path().read_bytes())
    assert fuzzed(path, lambda: load_policy(path), odd_toml, odd_toml, odd_bytes) == {"read", "refused"}


def test_lexicons(tmp_path):
    for name in ("colors", "sides", "writing"):
        path = tmp_path / name / f"{name}.toml"
        path.parent.mkdir()
        path.write_bytes((lexicons_path() / path.name).read_bytes()[:4000])
        parse = partial(open_source, "scenes:2", lexicons=path.parent)
        parse()  # the file as it is
        assert "refused" in fuzzed(path, parse, odd_toml, files=FILES // 5)


def test_records_of_init(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps({f"{name}.py": {"vlcheck": "0.1.0", "sha256": "0" * 64} for name in "abc"}))
    assert fuzzed(path, lambda: read_record(path.read_bytes(), "mine"), odd_json, odd_bytes) == {"read", "refused"}


def test_configs_of_original_code(tmp_path):
    for name, parse in (("vilbert", vilbert_config), ("vilt", vilt_sizes)):
        path = tmp_path / f"{name}.json"
        path.write_bytes((DATA / name / "config.json").read_bytes())
        assert fuzzed(path, partial(parse, path), odd_json, odd_bytes) == {"read", "refused"}
    for name in ("config.json", "config_swin.json", "config_bert.json"):
        for source in (DATA / "xvlm").glob("*.json"):
            (tmp_path / source.name).write_bytes(source.read_bytes())
        fuzzed(tmp_path / name, lambda: (xvlm_config(tmp_path, {}), stated_sizes(tmp_path, {})), odd_json, odd_bytes)


def test_documents_of_transformers(tmp_path):
    said = {"chat_template": "a", "size": {"height": 4, "width": 4}, "weight_map": {"a": "model.safetensors"}}
    for name in ("config.json", "processor_config.json", "tokenizer_config.json", "model.safetensors.index.json"):
        path = tmp_path / name
        path.write_text(json.dumps({**said, "architectures": ["BertModel"], "text_config": {"hidden_size": 8}}))

        def parse():
            check_documents(tmp_path)
            check_one_template(tmp_path)
            return Pretrained(tmp_path, "mine").architecture

        fuzzed(path, parse, odd_json, odd_bytes)


def test_checkpoints(tmp_path):
    weights = {"a.weight": torch.ones(2, 3), "b": torch.zeros(4, dtype=torch.int64)}
    path = tmp_path / "a.safetensors"
    path.write_bytes(save(weights))
    fuzzed(path, lambda: read_checkpoint(path), odd_bytes)
    for new in (True, False):
        path = tmp_path / "a.pth"
        torch.save({"model": weights, "config": {"a": 1}}, path, _use_new_zipfile_serialization=new)
        fuzzed(path, lambda path=path: read_checkpoint(path), odd_bytes)


def test_regions(tmp_path):
    file = BytesIO()
    np.savez(file, boxes=np.ones((2, 4)), features=np.ones((2, 3)), labels=np.array(["dog", "bus"]))
    path = tmp_path / "1.npz"
    path.write_bytes(file.getvalue())
    assert "refused" in fuzzed(path, lambda: RegionFiles(tmp_path), odd_bytes)


def test_headers_of_safetensors_say_a_key_once(tmp_path):
    entry = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    header = b'{"a":' + entry + b',"a":' + entry + b"}"
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
    with pytest.raises(UsageError, match="'a' is there twice"):
        read_checkpoint(path)


def test_a_changed_line_of_results_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    first, *others = small().lines()
    path.write_text("\n".join([first.replace('"kind"', '"name": "b", "kind"', 1), *others]))
    with pytest.raises(UsageError, match=r":1: not JSON \('name' is there twice\)"):
        read(path)
    assert encoded(small().run)


def test_files_of_words_alone(tmp_path):
    path = tmp_path / "words.json"
    known = WordKnowledgeRecord(
        "color",
        "cloze",
        1,
        0,
        1.0,
        0.025,
        1.0,
        1.0,
        0.5,
        True,
        (WordAnswerRecord("coal", "", "black", {"black": -1.0}),),
    )
    path.write_bytes(words_json([WordsRecord("a model", "1", (known,))], 0.05))
    drawn = lambda: [line.encode() for words in read_words(path) for line in words_lines(words)]  # noqa: E731
    assert fuzzed(path, drawn, odd_json, odd_json, odd_bytes) == {"read", "refused"}
