"""The end of the thought that some chat templates open before an answer, so that a model answers at once."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from vlcheck.errors import UsageError

_SIGN = re.compile(r"([<\[◁]\|?)((?!end)[\w:.-]*(?:think|thought|reason)[\w:.-]*)(\|?[>\]▷])", re.IGNORECASE)
_BEGIN = re.compile("begin|start", re.IGNORECASE)


def end_of_thought(prompt: str, template: str, vocabulary: Container[str]) -> str:
    """Return the text that ends the thought that a prompt opens; "" if it opens none.

    Args:
        prompt: the text that a template writes after a question.
        template: the template. One that writes the thoughts of earlier turns contains the end of a thought.
        vocabulary: the tokenizer's tokens, one of which may end a thought.

    Raises:
        UsageError: neither the template nor the vocabulary shows how the thought ends.
    """
    last = [*_SIGN.finditer(prompt)][-1:]
    if not last:
        return ""
    sign = last[0]
    ends = [*_ends(sign)]
    if any(end in prompt[sign.end() :] for end in ends):
        return ""
    for end in ends:
        if end in template or end in vocabulary:
            return f"\n\n{end}\n\n"
    raise UsageError(
        f"it opens a thought ({sign[0]}) where the answer to a question begins, and neither it nor the vocabulary says"
        f" how the thought ends. Accepted: a template that opens none, that opens none where enable_thinking is false,"
        f" or that has {ends[0]}."
    )


def without_thoughts(prompt: str) -> str:
    """Return a prompt without the thoughts that both begin and end in it."""
    for sign in reversed([*_SIGN.finditer(prompt)]):
        rest = prompt[sign.end() :]
        if ended := [rest.partition(end)[2] for end in _ends(sign) if end in rest]:
            prompt = prompt[: sign.start()] + max(ended, key=len)
    return prompt


def _ends(sign: re.Match[str]) -> Iterator[str]:
    """Yield possible ends of a thought, given its beginning: </think> for <think>."""
    before, name, after = sign.groups()
    if _BEGIN.search(name):
        yield f"{before}{_BEGIN.sub(_end, name)}{after}"
    yield f"{before}/{name}{after}"


def _end(begin: re.Match[str]) -> str:
    """Return "end", with the capitals of the word for the beginning."""
    return "END" if begin[0].isupper() else "End" if begin[0].istitle() else "end"
