"""A chat template is foreign code: whatever it does, at load or at one text alone, becomes a message."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.models import chats
from vlcheck.cases import Case
from vlcheck.cases.view import View
from vlcheck.errors import UsageError
from vlcheck.metrics.registry import ask
from vlcheck.models.adapters import templates
from vlcheck.models.loading.load import load_model
from vlcheck.perturb import Solid
from vlcheck.scoring.plan import Chunk
from vlcheck.scoring.scorer import Scorer

pytestmark = pytest.mark.slow

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
REACH = "{{ messages.__class__.__mro__ }}"
AT_CAT = "{% if 'cat' in messages[0]['content'][1]['text'] %}WRONG{% endif %}"


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.llava(tmp_path_factory.mktemp("llava"))


@pytest.fixture
def with_template(llava: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A checkpoint with a template; templates get little time."""
    quick = templates.Templates(seconds=1.0)
    monkeypatch.setattr("vlcheck.models.adapters.chat.templates", lambda: quick)

    def made(template: str) -> str:
        folder = Path(shutil.copytree(llava, tmp_path / "mine"))
        (folder / "chat_template.jinja").write_text(template)
        return str(folder)

    yield made
    quick.close()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (chats.LLAVA + LOOP, "its chat template: takes more than 1 seconds, and was stopped"),
        (chats.LLAVA + REACH, "its chat template puts no question about one picture. SecurityError"),
        (chats.LLAVA + "{{ 'x' * 10 ** 7 }}", " characters; at most 1048576 are accepted"),
        (
            chats.LLAVA + "{# " + "x" * 2_000_000 + " #}",
            "chat_template.jinja: has more than 1048576 bytes; no file of its kind has",
        ),
        ("", "its processor has no chat template, which questions are written with"),
    ],
    ids=["loops", "reaches for attributes", "writes too much", "is too long", "is empty"],
)
def test_at_load(template: str, said: str, with_template: Callable[[str], str]) -> None:
    with pytest.raises(UsageError) as caught:
        load_model(with_template(template))
    assert said in str(caught.value)
    assert "mine" in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(LOOP, "takes more than 1 seconds, and was stopped"), (REACH, "SecurityError")],
    ids=["loops", "reaches for attributes"],
)
def test_at_one_text_alone(wrong: str, said: str, with_template: Callable[[str], str]) -> None:
    """The other texts of the batch are answered, and so are those after it."""
    model = load_model(with_template(chats.LLAVA + AT_CAT.replace("WRONG", wrong)))
    image = Solid((48, 48), (200, 0, 0))
    queries = {
        word: ask("itm", View.of(Case(id=word, image=image, caption=f"a {word}", target=word))).queries[word]
        for word in ("dog", "cat", "bus")
    }
    answers = {
        query.text: answer
        for part in Scorer(model).score(Chunk(tuple(queries.values())), lambda picture, pixels: None)
        for query, answer in part
    }
    assert said in answers["a cat"].error
    assert [len(answers[text].values) for text in ("a dog", "a bus")] == [1, 1]
    assert len(model.encode([Image.new("RGB", (32, 32))])) == 1
