"""Models whose answers are known: what the suite has to say of them is known, too."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from vlcheck.cases import MASK, Case, CaseSource
from vlcheck.cases.box import Box
from vlcheck.cases.case import ImageSource
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.perturb import CELLS, OPENINGS, AblateRegions, Blur, Brightness, Crop, CutOut, Perturbation, RotateHue
from vlcheck.perturb.color import is_grey

GRID = 16
SMALL = 128, 128
SAME, ALIKE = 0.6, 0.4  # levels, and a share of how far the look is from flat: what differs less is the same picture
TURNED = ({}, {"mirrored": True}, {"upside_down": True})
SURE, ALMOST, REST = 0.9, 0.8, 0.1


@dataclass(frozen=True)
class Seen:
    """What a competent viewer makes of a picture: which photograph, which way round, what is hidden, which color."""

    photograph: str | None
    mirrored: bool = False
    upside_down: bool = False
    hidden: tuple[Box, ...] = ()
    grey: bool = False
    black: bool = False


class Looks(list[Seen]):
    """What was seen, picture by picture; selects by index as `Encoded` has to."""

    def __getitem__(self, index):
        return Looks(list.__getitem__(self, i) for i in index)


@dataclass
class Competent:
    """Recognises the photograph it is shown and answers from its cases: what is true of it, and no more than shows.

    A black picture leaves it the words: a caption that hints at its object says it, a color or a side has no hint.
    """

    cases: Iterable[Case]
    name: str = "competent"
    fingerprint: str = "competent-1"
    metrics: frozenset[str] = frozenset({"mlm", "itm"})
    kinds: dict[str, str] = field(default_factory=lambda: {"mlm": "masked-lm", "itm": "match-head"})
    mask: str = MASK

    def __post_init__(self):
        self.truths: dict[str, dict[str, Case]] = {}
        self.said: dict[str, Case] = {}
        looks: dict[Seen, np.ndarray] = {}
        disguised: list[tuple[Seen, np.ndarray]] = []
        for case in self.cases:
            texts = [case.masked] if case.bare is None else [case.masked, case.bare]
            truths = self.truths.setdefault(case.image.key, {})
            for text in texts:  # a color's own case says whether grey takes it away; a binding's does not
                truths.setdefault(text, case)
            self.said.setdefault(case.masked, case)
            plain = Seen(case.image.key)
            if plain not in looks:
                plainly = _plain_looks(case.image)
                looks |= {replace(plain, **turned): look for turned, look in zip(TURNED, plainly, strict=True)}
            disguised += [(plain, look) for look in _disguises(case)]
            disguised += [(replace(plain, hidden=case.region), look) for look in _without_target(case)]
        self.known = [*looks, *(seen for seen, _ in disguised)]
        self.looks = np.stack([*looks.values(), *(look for _, look in disguised)])

    def encode(self, images: Sequence[Image.Image]) -> Looks:
        return Looks(self._see(image) for image in images)

    def mlm(self, encoded, texts, words):
        said = map(_unopened, texts)
        return [self._fill(seen, text, asked) for seen, text, asked in zip(encoded, said, words, strict=True)]

    def itm(self, encoded, texts, foils=None):
        return np.array([self._match(seen, text) for seen, text in zip(encoded, map(_unopened, texts), strict=True)])

    def _see(self, image: Image.Image) -> Seen:
        if not image.getbbox():
            return Seen(None, black=True)
        look = _luma(image)
        distances = np.abs(self.looks - look).mean(axis=1)
        if distances.min() < max(SAME, ALIKE * np.abs(look).mean()):
            return replace(self.known[int(distances.argmin())], grey=is_grey(image))
        return Seen(None)

    def _truth(self, seen: Seen, template: str) -> str | None:
        """The word that the picture makes true in the mask's place; None where it does not decide it."""
        case = self.truths.get(seen.photograph or "", {}).get(template)
        if case is None or (seen.grey and "chromatic" in case.tags) or self._hides(seen, case):
            return None
        turned = {"left", "right"} if seen.mirrored else {"above", "below"} if seen.upside_down else set()
        return OPPOSITES[case.target] if case.target in turned else case.target

    def _hides(self, seen: Seen, case: Case) -> bool:
        return bool(seen.hidden) and seen.hidden == case.region

    def _fill(self, seen: Seen, template: str, words: Sequence[str]) -> np.ndarray:
        scores = np.full(len(words), REST / len(words))
        true, certainty = self._truth(seen, template), SURE
        hinted = self.said.get(template)
        if seen.black and hinted is not None and "object" in hinted.tags:
            true, certainty = hinted.target, ALMOST
        if true in words:
            scores[words.index(true)] = certainty
        return scores

    def _match(self, seen: Seen, text: str) -> float:
        """A text matches where every word in it that a case masks is the true one, as seen or as told."""
        if (told := self._told(seen, text)) is not None:
            return SURE if told else REST
        matches = [
            word.lower() == self._truth(seen, template)
            for template in self.truths.get(seen.photograph or "", {})
            if (word := _filling(template, text))
        ]
        return SURE if matches and all(matches) else REST

    def _told(self, seen: Seen, text: str) -> bool | None:
        """Whether a text says of what is hidden the same as its caption; None where it is no such text."""
        for case in self.truths.get(seen.photograph or "", {}).values():
            caption = f"{case.caption.rstrip(' .')}, "
            if self._hides(seen, case) and case.bare and text.startswith(caption):
                return _filling(case.bare, text.removeprefix(caption)) == case.target
        return None


class Compares(Competent):
    """As competent, and has nothing to say of a text but against others."""

    def __post_init__(self):
        super().__post_init__()
        self.kinds = self.kinds | {"itm": "contrastive"}

    def itm(self, encoded, texts, foils=None):
        found = []
        for seen, text, against in zip(encoded, texts, foils, strict=True):
            assert against, text
            odds = np.exp([10 * self._match(seen, _unopened(one)) for one in (text, *against)])
            found.append(odds[0] / odds.sum())
        return np.array(found)


class Constant(Competent):
    """Finds everything as likely as everything else."""

    def _fill(self, seen, template, words):
        return np.full(len(words), 0.5)

    def _match(self, seen, text):
        return 0.5


class NotANumber(Competent):
    def _fill(self, seen, template, words):
        return np.full(len(words), np.nan)

    def _match(self, seen, text):
        return np.nan


class Raises(Competent):
    def mlm(self, encoded, texts, words):
        raise RuntimeError("out of cheese")

    itm = mlm


class Shouts(Competent):
    def mlm(self, encoded, texts, words):
        raise RuntimeError("\x1b[31mred\0" + "!" * 5000)


class EmptiesItsQuestions(Competent):
    def itm(self, encoded, texts, foils=None):
        texts.clear()

    def mlm(self, encoded, texts, words):
        texts.clear()


class EncodesNothing(Competent):
    def encode(self, images):
        return None


class Miscounts(Competent):
    def mlm(self, encoded, texts, words):
        return super().mlm(encoded, texts, words)[1:]

    def itm(self, encoded, texts, foils=None):
        return super().itm(encoded, texts)[1:]


class SaysRight(Competent):
    """The paper's finding: right, whichever way the picture is mirrored."""

    def _truth(self, seen, template):
        case = self.truths.get(seen.photograph or "", {}).get(template)
        return "right" if case and case.tags & {"side", "hand"} else super()._truth(seen, template)


class LovesColor(Competent):
    """The paper's finding: what is grey is not recognised."""

    def _truth(self, seen, template):
        return None if seen.grey else super()._truth(seen, template)


class KnowsSurroundings(Competent):
    """Takes a hidden thing from what is around it."""

    def _hides(self, seen, case):
        return False


class ContradictsTheCaption(Competent):
    """Takes a hidden thing for another one than the caption says."""

    def _told(self, seen, text):
        told = super()._told(seen, text)
        return None if told is None else not told


class Stumbles(Competent):
    """Knows its photographs, but one of them in color alone."""

    def _truth(self, seen, template):
        return None if seen.grey and "number 6," in template else super()._truth(seen, template)


class KnowsMost(Competent):
    """Does not know each fifth of its photographs, nor what is grey."""

    def _truth(self, seen, template):
        case = self.truths.get(seen.photograph or "", {}).get(template)
        unknown = case is None or seen.grey or int(case.image.path.stem) % 5 == 0
        return None if unknown else super()._truth(seen, template)


class ReadsOnly(Competent):
    """Answers from the caption's words, whatever the picture: it has read every caption before."""

    def _fill(self, seen, template, words):
        scores = np.full(len(words), REST / len(words))
        case = self.said.get(template)
        if case is not None and case.target in words:
            scores[words.index(case.target)] = SURE
        return scores

    def _match(self, seen, text):
        return SURE


class KnowsCaptions(Competent):
    """Has read every caption before: it tells them from foils, whatever the picture, and does not say so."""

    def _match(self, seen, text):
        return SURE if any(_filling(template, text) == case.target for template, case in self.said.items()) else REST


class PrefersShort(Competent):
    """Prefers the shorter sentence, whatever the picture."""

    def _match(self, seen, text):
        return 1 / (1 + len(text))


class TakesTheFoil(Competent):
    """Sees what is there, and says the opposite of a sentence that it can judge."""

    def _match(self, seen, text):
        return 1 - super()._match(seen, text) if seen.photograph else REST


class MatchesOnly(Competent):
    """A model without a masked-word head."""

    def __post_init__(self):
        super().__post_init__()
        self.metrics = frozenset({"itm"})


class Interrupted(Competent):
    """The user presses Ctrl-C while it answers."""

    def itm(self, encoded, texts, foils=None):
        raise KeyboardInterrupt


class Counting(Competent):
    """Writes down every picture it encodes and every text it is asked, in a file that processes share."""

    def encode(self, images):
        digests = [hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest() for image in images]
        self._write(f"encode {digest}" for digest in digests)
        looks = Counted(super().encode(images))
        looks.digests = digests
        return looks

    def mlm(self, encoded, texts, words):
        self._write(f"mlm {digest} {text}" for digest, text in zip(encoded.digests, texts, strict=True))
        return super().mlm(encoded, texts, words)

    def itm(self, encoded, texts, foils=None):
        self._write(f"itm {digest} {text}" for digest, text in zip(encoded.digests, texts, strict=True))
        return super().itm(encoded, texts)

    def _write(self, lines):
        with Path(os.environ["VLCHECK_TEST_LOG"]).open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))


class CountsColor(Counting, LovesColor):
    """Both."""


class Counted(Looks):
    digests: Sequence[str]

    def __getitem__(self, index):
        chosen = Counted(list.__getitem__(self, i) for i in index)
        chosen.digests = [self.digests[i] for i in index]
        return chosen


class DiesOnce(Counting):
    """The first process to be asked about a match is killed, as by a scheduler that takes its machine back."""

    def itm(self, encoded, texts, foils=None):
        kill_once()
        return super().itm(encoded, texts)


def kill_once():
    """Kill this process with SIGKILL, unless another one was killed before."""
    try:
        Path(os.environ["VLCHECK_TEST_LOG"]).with_suffix(".killed").touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class Hashes(Competent):
    """Random but fixed: every picture and text has a score of its own. Knows no photograph."""

    def __post_init__(self):
        pass

    def encode(self, images):
        return Looks(Seen(hashlib.sha256(image.tobytes()).hexdigest()) for image in images)

    def _fill(self, seen, template, words):
        return np.array([_hash(seen.photograph, template, word) / len(words) for word in words])

    def _match(self, seen, text):
        return _hash(seen.photograph, text)


@dataclass
class Wavers(Competent):
    """Is seldom sure; its scores are off by up to `off` in log-odds, by an amount that is fixed for each."""

    off: float = 0.0

    def _fill(self, seen, template, words):
        filled = super()._fill(seen, template, words)
        pairs = zip(filled.tolist(), words, strict=True)
        return np.array([self._wavered(score, repr(seen), template, word) for score, word in pairs])

    def _match(self, seen, text):
        return self._wavered(super()._match(seen, text), repr(seen), text)

    def _wavered(self, score, *asked):
        odds = 0.6 * float(np.log(score / (1 - score))) + 2.5 * (_hash("wavers", *asked) - 0.5)
        return float(1 / (1 + np.exp(-odds - self.off * (2 * _hash("off", *asked) - 1))))


def wavers(device: str, dtype: str) -> Wavers:
    """A factory whose model is rounded in any type but float32."""
    cases = everything(open_source(os.environ["VLCHECK_TEST_DATA"]))
    return Wavers(cases, name="wavers", fingerprint=f"wavers-{dtype}", off=0.0 if dtype == "float32" else 0.2)


class WaversUntilKilled(Wavers):
    """The first process to be asked about many matches is killed."""

    def itm(self, encoded, texts, foils=None):
        if self.off:
            kill_once()
        return super().itm(encoded, texts, foils)


def wavers_until_killed(device: str, dtype: str) -> Wavers:
    """A factory as `wavers`, of a model that dies once, in the fast type."""
    made = wavers(device, dtype)
    return WaversUntilKilled(made.cases, name=made.name, fingerprint=made.fingerprint, off=made.off)


def factory(kind: type[Competent]):
    """A factory as `--vl-model FILE.py:NAME` calls it; the data comes from the environment."""

    def make(device: str, dtype: str) -> Competent:
        return kind(everything(open_source(os.environ["VLCHECK_TEST_DATA"])), name=kind.__name__)

    return make


def everything(source: CaseSource) -> list[Case]:
    """All cases of the data; of scenes also the first that are drawn where some of these do not count."""
    blocks = [source.offer.cases, *islice(source.offer.further, 1)]
    return [case for block in blocks for cases in block.values() for case in cases]


competent = factory(Competent)
compares = factory(Compares)
constant = factory(Constant)
not_a_number = factory(NotANumber)
raises = factory(Raises)
miscounts = factory(Miscounts)
shouts = factory(Shouts)
empties_its_questions = factory(EmptiesItsQuestions)
encodes_nothing = factory(EncodesNothing)
says_right = factory(SaysRight)
loves_color = factory(LovesColor)
reads_only = factory(ReadsOnly)
knows_surroundings = factory(KnowsSurroundings)
stumbles = factory(Stumbles)
knows_most = factory(KnowsMost)
hashes = factory(Hashes)
matches_only = factory(MatchesOnly)
interrupted = factory(Interrupted)
counting = factory(Counting)
counts_color = factory(CountsColor)
dies_once = factory(DiesOnce)


@dataclass(frozen=True)
class Small:
    """A picture scaled down: enough to see how a perturbation makes it look."""

    image: Image.Image
    key: str

    @property
    def size(self) -> tuple[int, int]:
        return SMALL

    def open(self) -> Image.Image:
        return self.image.copy()


def once_for_each(key: Callable[[Any], Hashable]):
    """Make a function of one argument remember its results, in this process, by a key of the argument."""

    def decorate(function):
        found: dict[Hashable, Any] = {}

        def remembered(argument):
            if (of := key(argument)) not in found:
                found[of] = function(argument)
            return found[of]

        return remembered

    return decorate


@once_for_each(lambda image: image.key)
def _plain_looks(image: ImageSource) -> list[np.ndarray]:
    """How a picture looks when it is turned as TURNED says."""
    opened = image.open()
    return [_luma(one) for one in (opened, ImageOps.mirror(opened), ImageOps.flip(opened))]


@once_for_each(lambda image: image.key)
def _small(image: ImageSource) -> Small:
    return Small(image.open().resize(SMALL), image.key)


@once_for_each(lambda case: (case.image.key, case.region, case.tags & {"object", "single"}))
def _disguises(case: Case) -> list[np.ndarray]:
    """How the case's picture looks under the perturbations that leave its object what it is."""
    if not case.tags & {"object", "single"}:
        return []
    perturbations = [RotateHue(), Crop(), Blur(), Brightness(0.8), Brightness(1.2)]
    if "single" in case.tags:
        perturbations += map(CutOut, CELLS)
    return list(_looks(case, perturbations))


@once_for_each(lambda case: (case.image.key, case.region, case.tags & {"object"}))
def _without_target(case: Case) -> list[np.ndarray]:
    """How the case's picture looks without its object."""
    return list(_looks(case, [AblateRegions()])) if "object" in case.tags else []


def _looks(case: Case, perturbations: Iterable[Perturbation]) -> Iterator[np.ndarray]:
    """How the case's picture looks under some perturbations, as far as they apply."""
    small = _small(case.image)
    x, y = (at / of for at, of in zip(SMALL, case.image.size, strict=True))
    region = tuple(Box(box.x * x, box.y * y, box.width * x, box.height * y) for box in case.region)
    view = View.of(replace(case, image=small, region=region))
    for perturbation in perturbations:
        with suppress(NotApplicable):
            yield _luma(perturbation(view, ()).picture.render())


def _unopened(text: str) -> str:
    """The text without a neutral opening."""
    for opening in OPENINGS.values():
        text = text.removeprefix(f"{opening} ")
    return text


def _luma(image: Image.Image) -> np.ndarray:
    """A coarse look, against what most of the picture is."""
    look = np.asarray(image.convert("L").resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float32).ravel()
    return look - np.float32(np.median(look))


def _filling(template: str, text: str) -> str:
    """What stands in the mask's place, "" where the text is another one."""
    start, end = template.split(MASK)
    word = text[len(start) : len(text) - len(end)]
    return word if text == start + word + end and " " not in word else ""


def _hash(*parts: object) -> float:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") / 2**32
