from __future__ import annotations

from pathlib import Path

import pytest

from vlcheck.errors import UsageError
from vlcheck.models.original.wordpiece import check_entries, find_vocabulary, read_vocabulary, vocabulary_of


def test_the_vocabulary_beside_the_checkpoint_is_taken(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n\u2028\nlast", encoding="utf-8")
    assert find_vocabulary(tmp_path) == tmp_path / "vocab.txt"
    assert read_vocabulary(tmp_path / "vocab.txt") == ["[PAD]", "[UNK]", "\u2028", "last"]


@pytest.mark.usefixtures("no_hub")
def test_without_a_vocabulary_the_error_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{tmp_path}/vocab\.txt.*HF_HUB_OFFLINE.*Put bert-base-uncased's vocab\.txt"):
        find_vocabulary(tmp_path)


@pytest.mark.usefixtures("no_hub")
def test_an_unreachable_hub_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UsageError, match="nor can the hub be reached"):
        find_vocabulary(tmp_path)


def test_what_is_wrong_with_a_vocabulary_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\nb")
    with (
        pytest.raises(UsageError, match=r"vocab\.txt: .* 2 entries, the network 3"),
        vocabulary_of(tmp_path) as entries,
    ):
        check_entries(entries, 3)
