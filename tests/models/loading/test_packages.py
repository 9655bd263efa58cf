"""A checkpoint whose tokenizer or processor needs a package that is not installed says which extra brings it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from transformers.utils import import_utils

from tests.models import chats, checkpoints
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.packages import needed

INSTALL = r'python -m pip install "vlcheck\[tokenizers\]"'


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without them, whatever this one has."""
    for module in ("num2words", "sentencepiece", "google.protobuf"):
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("without_packages")
@pytest.mark.parametrize("tokenizer", ["SiglipTokenizer", "GemmaTokenizer", "XLMRobertaTokenizer"])
def test_a_tokenizer_of_pieces_names_both_of_its_packages(
    tokenizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where transformers falls back to tiktoken, whose package it then asks for."""
    monkeypatch.setattr(import_utils, "is_sentencepiece_available", lambda: False)
    folder = checkpoints.siglip(tmp_path)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer}))
    for name in ("spiece.model", "tokenizer.model", "sentencepiece.bpe.model"):
        (folder / name).write_bytes(b"pieces")
    with pytest.raises(
        UsageError, match=rf"no tokenizer can be loaded.* It needs protobuf and sentencepiece, of .*: {INSTALL}"
    ):
        load_model(str(folder))


@pytest.mark.usefixtures("without_packages")
def test_a_processor_that_spells_numbers_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.smolvlm import processing_smolvlm

    folder = chats.smolvlm(tmp_path)
    monkeypatch.setattr(processing_smolvlm, "num2words", None)
    with pytest.raises(UsageError, match=rf"no processor can be loaded.* It needs num2words, of .*: {INSTALL}"):
        load_model(str(folder))


def test_what_no_package_would_mend_names_none(tmp_path: Path) -> None:
    assert needed(tmp_path, "OSError: no file named tokenizer.json") == ""


@pytest.mark.parametrize(("family", "key"), [("llava", "patch_size"), ("llava_onevision", "num_image_tokens")])
def test_a_processor_that_cannot_count_a_picture_s_tokens_is_refused(family: str, key: str, tmp_path: Path) -> None:
    """As folders of before 2025 have it, whose networks counted."""
    folder = getattr(chats, family)(tmp_path)
    file = folder / "processor_config.json"
    said = {name: value for name, value in json.loads(file.read_text()).items() if name != key}
    file.write_text(json.dumps(said))
    with pytest.raises(
        UsageError, match=rf"processor_config\.json: has to state {key}, which give the number of tokens of a picture"
    ):
        load_model(str(folder))
