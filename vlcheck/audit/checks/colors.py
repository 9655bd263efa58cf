"""Colors: how often captions name them, and how far the noun alone tells which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from zlib import crc32

from vlcheck._util.numbers import counted, share, shares
from vlcheck.audit.checks.base import NO_RECIPE, CorpusShare, Examples, ReadCaption, WholeCorpus, cut, finding_of
from vlcheck.audit.intervals import ALPHA, excess_p
from vlcheck.audit.limits import BOUND_COLORS, BOUND_NOUN, CHANGED_COLORS
from vlcheck.audit.records import AuditFinding, AuditPart, FindingStatus
from vlcheck.audit.sample import PictureCounter
from vlcheck.audit.words import AuditWords
from vlcheck.stats.multiple_testing import holm

BOUND, CHANGED = "bound colors", "changed colors"
_PARTS = 20
_CHANGING = ("colorjitter", "grayscale")

Mentions = Counter[tuple[str, str]]  # number of mentions by (noun, color)


class ColorsCheck:
    """Counts captions that name a color, and each color beside each noun.

    Args:
        words: the words to look for.
    """

    def __init__(self, words: AuditWords) -> None:
        self._words = words
        self._starts = words.color_starts
        self._named = 0
        self._by_half: tuple[Mentions, Mentions] = Counter(), Counter()
        self._first: dict[tuple[str, str], str] = {}
        self._pictures = PictureCounter()  # of colors before a noun
        self._examples = Examples()

    def see(self, row: ReadCaption) -> None:
        if row.said.isdisjoint(self._starts):
            return
        text = row.caption.text
        mentions = self._words.colors_of(text)
        if not mentions:
            return
        self._named += 1
        self._examples.add(text)
        self._pictures.see(row.caption.image, sum(bool(noun) for _, noun in mentions))
        half = self._by_half[crc32((row.caption.image or text).encode("utf-8", "replace")) & 1]
        for color, noun in mentions:
            if noun:
                half[noun, color] += 1
                self._first.setdefault((noun, color), text)

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        yield self._how_often(corpus)
        yield self._bound()

    def _how_often(self, corpus: WholeCorpus) -> AuditFinding:
        found = CorpusShare.of(self._named, corpus.captions, corpus.per)
        changing = [name for name in _CHANGING if name in corpus.augment]
        status = corpus.in_recipe(changing[0] if changing else _CHANGING[0], found.above(CHANGED_COLORS))
        says = f"{counted(found.count, 'caption')} of {found.n:,} ({share(found.share)}) name a color."
        if status == "found":
            says += f" The recipe changes colors ({', '.join(changing)}) and leaves the captions as they are."
        elif not corpus.augment:
            says += f" {NO_RECIPE}"
        return finding_of(
            "colors-named",
            found,
            says,
            bias="color",
            cause=CHANGED,
            status=status,
            limit=CHANGED_COLORS if changing else None,
            examples=tuple(self._examples.kept),
        )

    def _bound(self) -> AuditFinding:
        one, other = self._by_half
        n = one.total() + other.total()
        if not n:
            says = "No caption has a color before a noun that the lexicons know."
            return AuditFinding(check="colors-bound", bias="color", says=says)
        per = self._pictures.per
        by_noun, usual = (
            CorpusShare.of(right_guesses(one, other, rule), n, per) for rule in (by_noun_guess, usual_guess)
        )
        status = by_noun.above(usual.share + BOUND_COLORS, safe=usual.low + BOUND_COLORS)
        parts, keys = self._parts(one + other, per)
        return finding_of(
            "colors-bound",
            by_noun,
            _bound_says(by_noun, usual, status),
            bias="color",
            unit="colors",
            cause=BOUND,
            status=status,
            limit=min(1.0, usual.share + BOUND_COLORS),
            examples=tuple(cut(self._first[key]) for key in keys[:5]),
            parts=tuple(parts),
        )

    def _parts(self, counts: Mentions, per: float) -> tuple[list[AuditPart], list[tuple[str, str]]]:
        """Return the nouns with a color that is bound to them, the clearest first, and these pairs."""
        nouns, colors = _totals(counts, 0), _totals(counts, 1)
        n = counts.total()
        pairs = sorted(counts)
        p_values = holm([excess_p(counts[pair], nouns[pair[0]], colors[pair[1]] / n, per) for pair in pairs])
        found = []
        for (noun, color), p in zip(pairs, p_values, strict=True):
            if p >= ALPHA:
                continue
            beside, base = CorpusShare.of(counts[noun, color], nouns[noun], per), colors[color] / n
            if beside.low > BOUND_NOUN * base:
                found.append((p, (noun, color), beside.part(f"{color} {noun}", base)))
        found = sorted(found, key=lambda one: (one[0], -one[2].count, one[1]))[:_PARTS]
        return [part for _, _, part in found], [pair for _, pair, _ in found]


def _bound_says(by_noun: CorpusShare, usual: CorpusShare, status: FindingStatus) -> str:
    says = (
        f"The noun tells {share(by_noun.share)} of {counted(by_noun.n, 'color')} (interval"
        f" {shares(by_noun.low, by_noun.high)}): the most frequent color of a noun in one half of the pictures is its"
        f" color in the other half. The most frequent color of all is right for {share(usual.share)}."
    )
    return f"{says} A model can name colors by the thing, without looking at them." if status == "found" else says


def right_guesses(one: Mentions, other: Mentions, rule: Callable[[Mentions], Mapping[str, str]]) -> int:
    """Return how many colors of each half are guessed by a rule that was learnt on the other half.

    Args:
        one: number of mentions in one half of the pictures, by (noun, color).
        other: the same for the other half.
        rule: `by_noun_guess` or `usual_guess`, the guess for each noun, and under "" for all others.

    Example:
        >>> half = Counter({("banana", "yellow"): 3, ("bus", "red"): 2})
        >>> right_guesses(half, half, by_noun_guess), right_guesses(half, half, usual_guess)
        (10, 6)
    """
    return sum(_right(counts, rule(known)) for counts, known in ((one, other), (other, one)))


def usual_guess(known: Mentions) -> dict[str, str]:
    """Return the most frequent color of all; of equals the first by name."""
    colors = _totals(known, 1)
    return {"": min(colors, key=lambda color: (-colors[color], color))} if colors else {}


def by_noun_guess(known: Mentions) -> dict[str, str]:
    """Return the most frequent color of each noun, and that of all; of equals the first by name."""
    by_noun: defaultdict[str, Mentions] = defaultdict(Counter)
    for pair, number in known.items():
        by_noun[pair[0]][pair] += number
    return {noun: usual_guess(its)[""] for noun, its in by_noun.items()} | usual_guess(known)


def _right(counts: Mentions, guess: Mapping[str, str]) -> int:
    return sum(number for (noun, color), number in counts.items() if guess.get(noun, guess.get("")) == color)


def _totals(counts: Mentions, at: int) -> Counter[str]:
    totals: Counter[str] = Counter()
    for pair, number in counts.items():
        totals[pair[at]] += number
    return totals
