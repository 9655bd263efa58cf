"""The questions that both models of a pair are asked: of each picture, as it is and perturbed, true and false texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import MappingProxyType

from vlcheck._util.hashing import digest
from vlcheck.cases import Case, CaseSource, Selection
from vlcheck.cases.case import MASK
from vlcheck.cases.picture import Picture
from vlcheck.cases.selection import order_rank
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.errors import NotApplicable, UsageError, argument
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.perturb import Blur, Grayscale, Mirror, Perturbation

ASKS = 1  # raised when other questions are made of the same data
MOST_FALSE = 3  # false texts or words beside the true one
OWN = "own"
VIEWS: Mapping[str, Perturbation] = MappingProxyType(
    {"grayscale": Grayscale(), "mirror": Mirror(), "blur": Blur(radius=0.02)}
)
_REACH = 20  # other cases among which false texts are sought


@dataclass(frozen=True)
class ParityQuestion:
    """A question about one picture under one metric.

    Attributes:
        view: name of the perturbation.
        metric: "itm" or "mlm".
        picture: the picture.
        text: mlm: the text with its mask; itm: "".
        asked: itm: the texts; mlm: the words. The first is true.
    """

    view: str
    metric: Metric
    picture: Picture
    text: str
    asked: tuple[str, ...]

    def queries(self, *, relative: bool) -> tuple[Query, ...]:
        """Return the queries to a model: one for each text, or one for all words.

        Args:
            relative: whether the model only compares texts: each is then asked with the others as its foils.
        """
        if self.metric == "mlm":
            return (Query("mlm", self.picture, self.text, self.asked),)
        foils = {text: tuple(sorted({*self.asked} - {text})) if relative else () for text in self.asked}
        return tuple(Query("itm", self.picture, text, foils[text]) for text in self.asked)

    @property
    def key(self) -> str:
        """The digest of the question, whatever the model."""
        return digest(self.view, self.metric, self.picture.key, self.text, *self.asked)


@dataclass(frozen=True)
class ParityCase:
    """All questions about one case.

    Attributes:
        id: id of the case.
        questions: the questions.
        probe: whether it is a probe.
    """

    id: str
    questions: tuple[ParityQuestion, ...]
    probe: bool = False


def chosen_cases(source: CaseSource) -> Sequence[Case]:
    """Return as many cases as the data's spec asks for, each on a picture of its own, balanced over the target words.

    Raises:
        UsageError: the data has no case, or names a picture that has to be corrected.
    """
    kinds = sorted(source.tags)
    found = source.select(Selection(tuple(kinds))) if kinds else ()
    if not found:
        raise UsageError(f"{argument('data', source.spec)}: has no case to ask about.")
    return found


def questions_of(cases: Sequence[Case]) -> Iterator[ParityCase]:
    """Yield the questions about each case.

    Args:
        cases: the cases; false texts of a case are taken from the others if it names too few itself.
    """
    for at, case in enumerate(cases):
        others = [other for other in islice(chain(cases[at + 1 :], cases[:at]), _REACH) if other.refuted_by(case)]
        texts, words = _texts(case, others), _words(case, others)
        questions = chain.from_iterable(_about(name, view, texts, words) for name, view in _views(case, cases))
        yield ParityCase(case.id, tuple(questions))


def questions_digest(cases: Iterable[ParityCase]) -> str:
    """Return the digest of all questions."""
    return digest(*(question.key for case in cases for question in case.questions))


def _views(case: Case, cases: Sequence[Case]) -> Iterator[tuple[str, View]]:
    """Yield the case as it is, and after each perturbation that applies."""
    own = View.of(case)
    yield OWN, own
    for name, perturb in VIEWS.items():
        try:
            yield name, perturb(own, cases)
        except NotApplicable:
            continue


def _about(name: str, view: View, texts: tuple[str, ...], words: tuple[str, ...]) -> Iterator[ParityQuestion]:
    if len(texts) > 1:
        yield ParityQuestion(name, "itm", view.picture, "", texts)
    if len(words) > 1:
        yield ParityQuestion(name, "mlm", view.picture, view.template, words)


def _texts(case: Case, others: Sequence[Case]) -> tuple[str, ...]:
    """Return the caption, and texts that are false of the picture."""
    view = View.of(case)
    false = chain(case.foils, map(view.filled, _rivals(case)), (other.caption for other in others))
    return _first_of(case.caption, (text for text in false if MASK not in text))


def _words(case: Case, others: Sequence[Case]) -> tuple[str, ...]:
    """Return the target, and words that are false in its place."""
    return _first_of(case.target, chain(_rivals(case), (other.target for other in others)))


def _rivals(case: Case) -> list[str]:
    """Return the words that make the caption false, in an order that depends on the case alone."""
    words = {*case.candidates, *(OPPOSITES[word] for word in [case.target] if word in OPPOSITES)}
    return sorted(words, key=lambda word: order_rank(0, f"{case.id} {word}"))


def _first_of(true: str, false: Iterable[str]) -> tuple[str, ...]:
    different = (one for one in dict.fromkeys(false) if one != true)
    return true, *islice(different, MOST_FALSE)
