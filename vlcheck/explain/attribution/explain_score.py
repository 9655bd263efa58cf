"""Explains one score of a model, from Python: `vlcheck.explain_score`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from vlcheck._util.paths import expanded
from vlcheck.cases.case import MASK, ImageFile, word_pattern
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import UsageError, argument, demand_type
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.registry import method_named
from vlcheck.models.differentiable import differentiable
from vlcheck.models.loading.load import as_model, load_model
from vlcheck.models.protocol import VisionLanguageModel


def explain_score(
    model: str | VisionLanguageModel,
    image: str | Path | Image.Image,
    text: str,
    word: str | None = None,
    *,
    method: str | AttributionMethod = "saliency",
) -> Attribution:
    """Explain a model's score of a picture and a text: how much each patch and each token contributes to it.

    Args:
        model: the model, or its spec.
        image: the picture, or the path of its file.
        text: the text.
        word: a word of the text. Its log-probability is explained, with the word masked. If None, it is
            the match logit of the picture and the whole text.
        method: an attribution method, e.g. one of your own, or the name of one: "saliency", "ig", "relevancy", ...

    Raises:
        UsageError: there is no such model or method, the word is not in the text once, or the model's vocabulary cannot
            spell it.
        NotApplicable: the model gives no gradients, the method does not apply to it, or the text is too long for it.

    Example:
        >>> import vlcheck
        >>> case = vlcheck.open_cases("scenes:1").cases[0]
        >>> found = vlcheck.explain_score("tiny", case.image.open(), case.caption, case.target)
        >>> found.image.values.shape, len(found.tokens) == len(found.token_values)
        ((64,), True)
    """
    demand_type("image", image, str | Path | Image.Image, "a picture of Pillow, or the path of its file")
    demand_type("text", text, str, "a text")
    demand_type("method", method, str | AttributionMethod, "a method's name, e.g. 'saliency', or a method of your own")
    chosen = method_named(method) if isinstance(method, str) else method
    asked = text if word is None else _masked(text, word)
    adapter = load_model(model) if isinstance(model, str) else as_model(model)
    picture = to_rgb(image) if isinstance(image, Image.Image) else ImageFile(expanded(image)).open()
    network = differentiable(adapter, "itm" if word is None else "mlm")
    (found,) = attribute(network, chosen, [picture], [asked], None if word is None else [word])
    return found


def _masked(text: str, word: str) -> str:
    """Return the text with the word masked. Raises UsageError unless it is in the text once."""
    demand_type("word", word, str, "a word of the text")
    masked, times = word_pattern(word).subn(MASK, text)
    if times != 1:
        raise UsageError(
            f"{argument('word', repr(word))}: is {times} times in the text {text!r}; it has to be a word of it once."
        )
    return masked
