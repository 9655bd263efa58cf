"""A model's scores for one photograph: as it is, blocked, in grey and mirrored, as in the figures of the ALBEF study.

Views, questions and scorer are those of the suite, so that the numbers are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck._util.temporary import Scratch
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case, ImageFile, word_pattern
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES, OTHER_SIDE
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.datasets.limits import LONGEST_CAPTION, is_text
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, parameter, printable
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import scoring
from vlcheck.explain.applicable import demand_method
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.trust import trust_sentence
from vlcheck.explain.places import TOLERANCES, cut_out_views, placed_scores, with_thing
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Heard
from vlcheck.metrics.registry import COMPARING, KINDS, METRICS, OF_PICTURES, RELATIVE, ask, hear
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.perturb import Block, Grayscale, Mirror, Perturbation
from vlcheck.report.single_image.change import Expected
from vlcheck.report.single_image.figure import Figure, Panel, Scores, ViewMap
from vlcheck.report.single_image.places import PlacedScores, PlacedThing
from vlcheck.report.single_image.png import WIDTH
from vlcheck.suite.shipped import lexicons_path

MOST_WORDS = 8
EXAMPLE = "a man holds a ball in his [left] hand"

_CONFIG = EvaluationConfig(images=False)
_EDITS: Mapping[str, Perturbation] = MappingProxyType({"blocked": Block(), "grey": Grayscale(), "mirrored": Mirror()})


@dataclass(frozen=True)
class BracketedCaption:
    """A text with one word in brackets.

    Attributes:
        text: the text with the brackets.
        caption: the text without them.
        target: the word in brackets.
        others: the words that it is compared with.
    """

    text: str
    caption: str
    target: str
    others: tuple[str, ...]

    @classmethod
    def read(cls, text: str, words: str = "") -> BracketedCaption:
        """Read a text with a word in brackets, and the words to compare it with.

        Args:
            text: the text, e.g. "a man holds a ball in his [left] hand".
            words: the words, separated by commas. If empty, a side is compared with the opposite side, and any other
                word with nothing.

        Raises:
            UsageError: a text or words that cannot be used; the message says why.
        """
        before, target, after = _parted(text)
        said = _words(words) if words else [OPPOSITES[word] for word in [target.lower()] if word in OPPOSITES]
        others = {word.casefold(): word for word in said if word.casefold() != target.casefold()}
        if len(others) >= MOST_WORDS:
            raise UsageError(
                f"{parameter('words')}: there are {len(others) + 1} words with {target!r}; at most {MOST_WORDS} are"
                " accepted."
            )
        return cls(text, f"{before}{target}{after}", target, tuple(others.values()))

    def case(self, photograph: Path) -> Case:
        """Return the case that the suite would make of a photograph. Raises UsageError if it cannot be decoded."""
        image = ImageFile(photograph)
        image.open()
        return Case(id="look", image=image, caption=self.caption, target=self.target, candidates=self.others)

    def demand_words(self, model: VisionLanguageModel) -> None:
        """Raise UsageError if a model only compares words, and there is no word to compare the target with."""
        kinds = {metric: model.kinds[metric] for metric in OF_PICTURES if metric in model.metrics}
        comparing = [f"{metric} ({kind})" for metric, kind in kinds.items() if kind in COMPARING]
        if comparing and not self.others:
            raise UsageError(
                f"{parameter('words')} is missing: the {' and '.join(comparing)} of {printable(model.name)} only"
                f" compares words. Name what {self.target!r} is compared with, e.g."
                f" {argument('words', self.target)},WORD."
            )


def score_views(
    model: VisionLanguageModel,
    said: BracketedCaption,
    photograph: Path,
    methods: Sequence[AttributionMethod] = (),
    box: Box | None = None,
) -> Figure:
    """Ask a model about a photograph and three edits of it, and about a thing of it in nine places.

    Args:
        model: the model.
        said: the text and the words to compare.
        photograph: file of the picture.
        methods: the methods that explain the match logit of each view; for a model that has none, the probability of
            the word in brackets.
        box: the thing that is cut out into nine places, in pixels of the photograph; None for none.

    Raises:
        UsageError: the photograph cannot be decoded, the box is not inside it, the model only compares words and there
            is none to compare, or a method does not apply to the model.
    """
    said.demand_words(model)
    for method in methods:
        demand_method(model, method)
    case = said.case(photograph)
    whole = View.of(case)
    views = {"original": whole} | {name: edit(whole, ()) for name, edit in _EDITS.items()}
    cells = cut_out_views(with_thing(case, box)) if box else {}
    heard = _answers(model, views | cells)
    words = (case.target, *case.candidates)
    panels = (
        Panel(
            name,
            _shown(view),
            {metric: _scores(heard[name][metric], words) for metric in OF_PICTURES},
            {_titled(model, method): _explained(model, method, view) for method in methods},
            true=_true(name, case, words),
            expected=_expected(name, case, words),
        )
        for name, view in views.items()
    )
    headings: dict[str, str] = {metric: _heading(model, metric, len(words)) for metric in OF_PICTURES}
    places = _places(case, box, cells["middle"], heard) if box else None
    return Figure(model.name, said.text, words, headings, tuple(panels), places)


def _parted(text: str) -> tuple[str, str, str]:
    """Return the text before the brackets, the word in them, and the text after. Raises UsageError."""
    if not is_text(text):
        raise UsageError("the text holds bytes that are no UTF-8.")
    if len(text) > LONGEST_CAPTION:
        raise UsageError(f"the text has {len(text)} characters; at most {LONGEST_CAPTION} are accepted.")
    shown = printable(text)
    found = re.fullmatch(r"([^\[\]]*)\[([^\[\]]*)\]([^\[\]]*)", text, re.DOTALL)
    if not found:
        raise UsageError(f'the text "{shown}" has to have one word in brackets, and no other bracket: "{EXAMPLE}".')
    before, target, after = found[1], found[2].strip(), found[3]
    if not target or f"[{target}]" == MASK:
        raise UsageError(f'the text "{shown}" has to have the true word in its brackets: "{EXAMPLE}".')
    times = len(word_pattern(target).findall(f"{before}{target}{after}"))
    if times != 1:
        what = f"is {times} times in" if times else "is part of a longer word in"
        raise UsageError(f'the word "{printable(target)}" {what} the text "{shown}"; it has to be a word of it once.')
    return before, target, after


def _words(said: str) -> list[str]:
    words = [word.strip() for word in said.split(",")]
    if not is_text(said) or not all(words):
        raise UsageError(
            f"{argument('words', printable(said))}: has to be words with commas between them:"
            f" {argument('words', 'left,right')}."
        )
    if unfit := [word for word in words if "[" in word or "]" in word or len(word) > LONGEST_CAPTION]:
        raise UsageError(f"{parameter('words')}: {printable(unfit[0], 80)} is no word; it goes where the brackets are.")
    return words


def _question(model: VisionLanguageModel, metric: Metric, view: View) -> Question | str:
    """Return the question of a metric about a view, or the reason why there is none."""
    if reason := lacks(model, metric):
        return reason
    foils: list[str] | None = [] if model.kinds[metric] in RELATIVE else None
    try:
        return ask(metric, view, view.candidates, foils)
    except NotApplicable as reason:
        return str(reason)


def _answers(model: VisionLanguageModel, views: Mapping[str, View]) -> Mapping[str, Mapping[Metric, Heard | Answer]]:
    """Return the model's answers for each view and metric; all questions are asked together."""
    asked = {name: {metric: _question(model, metric, view) for metric in OF_PICTURES} for name, view in views.items()}
    questions = [one for by_metric in asked.values() for one in by_metric.values() if isinstance(one, Question)]
    with Scratch() as folder, scoring(_CONFIG, model, folder) as scorer:
        answers = scorer.answers(query for question in questions for query in question.queries.values())
    return {
        name: {metric: hear(question, answers) for metric, question in by_metric.items()}
        for name, by_metric in asked.items()
    }


def _true(name: str, case: Case, words: Sequence[str]) -> str:
    """Return the word that is true of a view; "" if the view does not show it, or the word was not asked about."""
    if name == "mirrored":
        mirrored = OTHER_SIDE.get(case.target.lower(), case.target)
        return next((word for word in words if word.lower() == mirrored.lower()), "")
    return "" if name == "blocked" or (name == "grey" and _is_chromatic(case.target)) else case.target


def _expected(name: str, case: Case, words: Sequence[str]) -> Expected | None:
    """Return what should change in a view; None for the original."""
    if name == "original":
        return None
    true = _true(name, case, words)
    if not true:
        return Expected("falls", case.target)
    return Expected("stays", true) if true == case.target else Expected("swaps", true)


def _is_chromatic(word: str) -> bool:
    """Return True for a word for a color that a grey picture does not show."""
    return load_lexicons(lexicons_path()).color_kinds.get(word.lower()) == "chromatic"


def _titled(model: VisionLanguageModel, method: AttributionMethod) -> str:
    """Return the title of a map: the method, the score that it explains, and how it did where the truth is known."""
    score = "match logit" if "itm" in model.metrics else "word's log-probability"
    return f"{method.title} of the {score}. {trust_sentence(method.name, model.name)}"


def _explained(model: VisionLanguageModel, method: AttributionMethod, view: View) -> ViewMap:
    """Return the explanation of a view, or the reason why there is none."""
    metric = "itm" if "itm" in model.metrics else "mlm"
    text, words = (view.text, None) if metric == "itm" else (view.template, [view.target])
    try:
        with contained():  # a model or a method of a user's own
            (found,) = attribute(differentiable(model, metric), method, [view.picture.render()], [text], words)
            return ViewMap(reason=found.reason) if found.reason else ViewMap(found.image.grid(), _values(found))
    except (NotApplicable, UsageError, ForeignFault) as reason:
        return ViewMap(reason=str(reason))


def _values(found: Attribution) -> tuple[tuple[str, float], ...]:
    """Return the tokens that stand for words of the text, with their values."""
    if found.token_values is None:
        return ()
    tokens = zip(found.tokens, found.token_values.tolist(), found.special, strict=True)
    return tuple((token, value) for token, value, special in tokens if not special)


def _shown(view: View) -> Image.Image:
    """Return a picture at the size of the figure's panels; unedited if an edit would change nothing."""
    try:
        image = view.picture.render()
    except NotApplicable:
        image = view.picture.source.open()
    image.thumbnail((WIDTH, WIDTH))  # memory: four copies of a large photograph would take gigabytes
    return image


def _places(case: Case, box: Box, middle: View, heard: Mapping[str, Mapping[Metric, Heard | Answer]]) -> PlacedThing:
    """Return the scores of the thing in the box in each place; `middle` shows it in the middle."""
    scores: dict[str, PlacedScores] = {metric: placed_scores(case, heard, metric) for metric in OF_PICTURES}
    return PlacedThing(case.target, box, TOLERANCES.within, _shown(middle), scores)


def _scores(heard: Heard | Answer, words: Sequence[str]) -> Scores:
    if isinstance(heard, Answer):
        return Scores(reason=heard.unasked or heard.error)
    reading = heard.reading
    if not METRICS[reading.metric].closed_sets:
        return Scores({word: reading.scores[word] for word in words})
    shares = {word: reading.share(word, *(other for other in words if other != word)) for word in words}
    return Scores(shares, sum(reading.scores[word] for word in words), heard.top)


def _heading(model: VisionLanguageModel, metric: Metric, words: int) -> str:
    """Return the meaning of a metric's scores for a model."""
    if metric not in model.metrics:
        return "not asked"
    kind = model.kinds[metric]
    over = ", renormalised over the words" if METRICS[metric].closed_sets and words > 1 else ""
    return f"{KINDS[kind].meaning}{over} ({kind})"
