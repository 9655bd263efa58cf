"""Thoughts that come before an answer: where a chat template opens one, and how it ends it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from vlcheck.errors import UsageError

USUAL = 256  # tokens of a thought, for a model that always thinks, unless its spec says another number
REASON, ANSWER = "Let me look.", "Yes"  # a thought and an answer, with which a template is tried

_SIGN = re.compile(r"([<\[◁]\|?)((?!end)[\w:.-]*(?:think|thought|reason)[\w:.-]*)(\|?[>\]▷])", re.IGNORECASE)
_BEGIN = re.compile("begin|start", re.IGNORECASE)
_OPENED, _BEFORE, _AFTER = "\n", "\n", "\n\n"  # what stands around the signs if the template does not show it


@dataclass(frozen=True)
class Thought:
    """The texts around a thought, as a chat template writes them.

    Attributes:
        opening: the text between a question and the thought; "" if the question ends with it.
        before: the text before the sign that ends the thought; a thought that ends itself has its own.
        end: the sign that ends the thought.
        after: the text between this sign and the answer.
        limit: the largest number of tokens of a thought, 1 or more.
    """

    opening: str
    before: str
    end: str
    after: str
    limit: int = USUAL

    @property
    def closing(self) -> str:
        """The text that ends a thought that does not end itself."""
        return self.before + self.end + self.after


def end_of_thought(prompt: str, template: str, vocabulary: Container[str]) -> str:
    """Return the text that ends the thought that a prompt opens; "" if it opens none.

    Args:
        prompt: the text that a template writes after a question.
        template: the template. One that writes the thoughts of earlier turns contains the end of a thought.
        vocabulary: the tokenizer's tokens, one of which may end a thought.

    Raises:
        UsageError: neither the template nor the vocabulary shows how the thought ends.
    """
    sign = _opened(prompt)
    if sign is None:
        return ""
    if end := _end_of(sign, template, vocabulary):
        return f"\n\n{end}\n\n"
    raise UsageError(
        f"it opens a thought ({sign[0]}) where the answer to a question begins, and neither it nor the vocabulary says"
        f" how the thought ends. Accepted: a template that opens none, that opens none where enable_thinking is false,"
        f" or that has {next(_ends(sign))}."
    )


def thought_of(prompt: str, thought_out: str, template: str, vocabulary: Iterable[str], limit: int) -> Thought:
    """Return the texts around a thought, for a model that is to think before it answers.

    Args:
        prompt: the text that a template writes up to the place of the answer.
        thought_out: a conversation as the template writes it, with REASON as the thought of the last answer, and ANSWER
            as the answer; "" if the template cannot write one.
        template: the template.
        vocabulary: the tokenizer's tokens.
        limit: the largest number of tokens of a thought.

    Raises:
        UsageError: nothing shows how a thought begins or ends.
    """
    known = {*vocabulary}
    begun, found, rest = thought_out.rpartition(REASON)
    named = (_signs_with_end(text, known) for text in (template, "\n".join(sorted(known))))
    sign = _opened(prompt) or _opened(begun) or next(chain.from_iterable(named), None)
    end = _end_of(sign, template, known) if sign else ""
    if sign is None or not end:
        raise UsageError(
            "it writes no thought before an answer, and neither it nor the vocabulary has a sign that begins and one"
            " that ends a thought, e.g. <think> and </think>. Leave thought= out."
        )
    opened = begun.removeprefix(prompt) if begun.startswith(prompt) else ""
    opening = "" if _opened(prompt) else opened if sign[0] in opened else f"{sign[0]}{_OPENED}"
    before, ends, after = rest.partition(end)
    after, answered, _ = after.partition(ANSWER)
    shown = found and ends and answered and not (before + after).strip()
    return Thought(opening, *((before, end, after) if shown else (_BEFORE, end, _AFTER)), limit=limit)


def without_thoughts(prompt: str) -> str:
    """Return a prompt without the thoughts that both begin and end in it."""
    for sign in reversed([*_SIGN.finditer(prompt)]):
        rest = prompt[sign.end() :]
        if ended := [rest.partition(end)[2] for end in _ends(sign) if end in rest]:
            prompt = prompt[: sign.start()] + max(ended, key=len)
    return prompt


def _opened(prompt: str) -> re.Match[str] | None:
    """Return the sign of the thought that a prompt opens and does not end; None if there is none."""
    last = [*_SIGN.finditer(prompt)][-1:]
    return last[0] if last and not any(end in prompt[last[0].end() :] for end in _ends(last[0])) else None


def _end_of(sign: re.Match[str], template: str, vocabulary: Container[str]) -> str:
    """Return the sign that ends a thought, of the template or the vocabulary; "" if neither has one."""
    return next((end for end in _ends(sign) if end in template or end in vocabulary), "")


def _signs_with_end(text: str, vocabulary: Container[str]) -> Iterator[re.Match[str]]:
    """Yield the signs in a text that begin a thought, if the text or the vocabulary has the one that ends it."""
    return (sign for sign in _SIGN.finditer(text) if _end_of(sign, text, vocabulary))


def _ends(sign: re.Match[str]) -> Iterator[str]:
    """Yield possible ends of a thought, given its beginning: </think> for <think>."""
    before, name, after = sign.groups()
    if _BEGIN.search(name):
        yield f"{before}{_BEGIN.sub(_end, name)}{after}"
    yield f"{before}/{name}{after}"


def _end(begin: re.Match[str]) -> str:
    """Return "end", with the capitals of the word for the beginning."""
    return "END" if begin[0].isupper() else "End" if begin[0].istitle() else "end"
