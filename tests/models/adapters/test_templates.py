"""A chat template is foreign code: it is given little time, memory and room, and the next one is filled in after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from vlcheck.errors import UsageError
from vlcheck.models.adapters.templates import Templates, Unfilled

ASKED = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "a dog\u2028é"}]}]
PLAIN = "{{ bos_token }}{% for part in messages[0].content %}{{ part.text or '<image>' }}{% endfor %}"


@pytest.fixture(scope="module")
def templates() -> Iterator[Templates]:
    made = Templates(seconds=0.3)
    yield made
    made.close()


def test_a_template_is_filled_in_as_transformers_does(templates: Templates) -> None:
    how: Any = {"add_generation_prompt": True, "bos_token": "<s>"}
    wanted = render_jinja_template([ASKED], chat_template=PLAIN, **how)[0][0]
    assert templates.fill(PLAIN, ASKED, **how) == wanted == "<s><image>a dog\u2028é"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "takes more than 0.3 seconds",
        ),
        ("{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}", "0.3 seconds"),
        (
            "{% set n = messages | length + 8 %}{{ n ** (10 ** 9) }}",
            "0.3 seconds",
        ),  # one step of Python, which no handler would interrupt
        ("{{ 'x' * 10 ** 9 }}{{ 'x' * 10 ** 9 }}", "takes more than 1 GB of memory"),
        ("{{ 'x'.rjust(10 ** 12) }}", "takes more than 1 GB of memory"),
        ("{{ 'x' * 10 ** 7 }}", "writes 10000000 characters; at most 1048576 are accepted"),
    ],
)
def test_a_template_without_end_is_stopped(templates: Templates, template: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        templates.fill(template, ASKED)
    assert templates.fill(PLAIN, ASKED).endswith("a dog\u2028é")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('no picture\\nhere') }}", "TemplateError: no picture\nhere"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "RecursionError"),
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
    ],
)
def test_what_a_template_raises_is_told(templates: Templates, template: str, said: str) -> None:
    with pytest.raises(Unfilled, match=said):
        templates.fill(template, ASKED)


def test_threads_take_turns(templates: Templates) -> None:
    """Where a test runs in a thread, as with execnet, no signal could interrupt a template; here none has to."""
    said: list[str] = []
    fill = lambda number: said.append(templates.fill("{{ number }}", ASKED, number=number))  # noqa: E731
    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [*"01234567"]
