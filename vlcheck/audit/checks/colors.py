"""Colors: how often captions name them, and how far the noun alone tells which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from zlib import crc32

from vlcheck._util.numbers import counted, share, shares
from vlcheck.audit.checks.base import CorpusShare, Examples, ReadCaption, WholeCorpus, cut, finding_of
from vlcheck.audit.intervals import ALPHA, excess_p
from vlcheck.audit.limits import BOUND_COLORS, BOUND_NOUN, CHANGED_COLORS
from vlcheck.audit.records import AuditFinding, AuditPart
from vlcheck.audit.sample import PictureCounter
from vlcheck.audit.words import AuditWords
from vlcheck.stats.multiple_testing import holm

BOUND, CHANGED = "bound colors", "changed colors"
_PARTS = 20
_CHANGING = ("colorjitter", "grayscale")


class ColorsCheck:
    """Counts captions that name a color, and each color beside each noun.

    Args:
        words: the words to look for.
    """

    def __init__(self, words: AuditWords) -> None:
        self._words = words
        self._starts = words.color_starts
        self._named = 0
        self._by_half: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = Counter(), Counter()
        self._first: dict[tuple[str, str], str] = {}
        self._pictures = PictureCounter()  # of captions with a color before a noun
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
        if any(noun for _, noun in mentions):
            self._pictures.see(row.caption.image)
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
        false = bool(changing) and found.low > CHANGED_COLORS
        says = f"{counted(found.count, 'caption')} of {found.n:,} ({share(found.share)}) name a color."
        if false:
            says += f" The recipe changes colors ({', '.join(changing)}) and leaves the captions as they are."
        return finding_of(
            "colors-named",
            found,
            says,
            bias="color",
            cause=CHANGED if false else "",
            limit=CHANGED_COLORS if changing else None,
            examples=tuple(self._examples.kept),
        )

    def _bound(self) -> AuditFinding:
        one, other = self._by_half
        n = one.total() + other.total()
        if not n:
            says = "No caption has a color before a noun that the lexicons know."
            return AuditFinding(check="colors-bound", bias="color", says=says)
        by_noun, usual = (right_guesses(one, other, know=know) for know in (True, False))
        per = self._pictures.per(n)
        found, base = CorpusShare.of(by_noun, n, per), usual / n
        bound = found.low > base + BOUND_COLORS
        says = (
            f"The noun tells {share(found.share)} of {counted(n, 'color')} (interval {shares(found.low, found.high)}):"
            f" the most frequent color of a noun in one half of the pictures is its color in the other half. The most"
            f" frequent color of all is right for {share(base)}."
        )
        if bound:
            says += " A model can name colors by the thing, without looking at them."
        parts, keys = self._parts(one + other, per)
        return finding_of(
            "colors-bound",
            found,
            says,
            bias="color",
            unit="colors",
            cause=BOUND if bound else "",
            limit=min(1.0, base + BOUND_COLORS),
            examples=tuple(cut(self._first[key]) for key in keys[:5]),
            parts=tuple(parts),
        )

    def _parts(self, counts: Counter[tuple[str, str]], per: float) -> tuple[list[AuditPart], list[tuple[str, str]]]:
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


def right_guesses(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]], *, know: bool) -> int:
    """Return how many colors of each half are the most frequent one of the other half.

    Args:
        one: number of mentions in one half of the pictures, by (noun, color).
        other: the same for the other half.
        know: whether the guess knows the noun; if not, it is the most frequent color of all nouns.

    Example:
        >>> half = Counter({("banana", "yellow"): 3, ("bus", "red"): 2})
        >>> right_guesses(half, half, know=True), right_guesses(half, half, know=False)
        (10, 6)
    """
    return sum(_right(counts, _guesses(known, know=know)) for counts, known in ((one, other), (other, one)))


def _right(counts: Counter[tuple[str, str]], guess: Mapping[str, str]) -> int:
    return sum(number for (noun, color), number in counts.items() if guess.get(noun, guess.get("")) == color)


def _guesses(known: Counter[tuple[str, str]], *, know: bool) -> Mapping[str, str]:
    """Return the most frequent color of each noun if `know`, and that of all under ""; of equals the first by name."""
    by_noun: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (noun, color), number in sorted(known.items()):
        by_noun[""][color] += number
        if know:
            by_noun[noun][color] += number
    return {noun: colors.most_common(1)[0][0] for noun, colors in by_noun.items()}


def _totals(counts: Counter[tuple[str, str]], at: int) -> Counter[str]:
    totals: Counter[str] = Counter()
    for pair, number in counts.items():
        totals[pair[at]] += number
    return totals
