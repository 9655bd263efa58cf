"""Networks of transformers that have prompts of their own in place of a chat template."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.wording import QUESTION
from vlcheck.models.adapters.yes_no import Answering, spellings


class Prompting(Answering, Hosted):
    """The base class of adapters that put a question, and ask for a description, by prompts of the family.

    Attributes:
        ask: the prompt of the yes-no question, with "{question}".
        describe: the prompt of a description, which the compared texts answer; "" for none.
    """

    kinds = MappingProxyType({"itm": "yes-no", "mlm": "candidates"})
    max_pairs = 16
    ask: ClassVar[str] = "{question}"
    describe: ClassVar[str] = ""

    def __init_subclass__(cls, **more: Any) -> None:
        """Make the prompts of a family a part of its fingerprint, and of what a run says of it."""
        super().__init_subclass__(**more)
        cls.prompts = (QUESTION, *filter(None, (cls.ask, cls.describe)))

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.yes, self.no = (spellings(self.texts.tokenizer, word) for word in ("yes", "no"))

    def question(self, text: str) -> str:
        """Return the prompt of the question about a text, in the wording that the model is asked in."""
        return self.ask.format(question=self.wording.format(text=text))
