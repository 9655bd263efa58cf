"""Audit a corpus of captions: read it once, and state what it teaches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vlcheck.audit.augment import read_augmentations
from vlcheck.audit.checks.base import Check, ReadCaption, WholeCorpus
from vlcheck.audit.checks.colors import ColorsCheck
from vlcheck.audit.checks.guessable import GuessableCheck
from vlcheck.audit.checks.pictures import PicturesCheck
from vlcheck.audit.checks.places import PlacesCheck
from vlcheck.audit.checks.sides import SidesCheck
from vlcheck.audit.checks.verticals import VerticalsCheck
from vlcheck.audit.checks.word_sets import WordSetsCheck
from vlcheck.audit.corpus import Corpus
from vlcheck.audit.records import AuditFinding, AuditReport
from vlcheck.audit.sample import PictureCounter
from vlcheck.audit.words import AuditWords, split_words
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.errors import UsageError, parameter
from vlcheck.models.text_encoding import GapFilling
from vlcheck.suite.shipped import BIASES, lexicons_path

if TYPE_CHECKING:
    from vlcheck.audit.caption import Caption

SAMPLE = 1000  # pictures that are opened, and captions that a model is asked about


def audit_corpus(
    corpus: Iterable[Sequence[Caption]],
    *,
    name: str = "",
    augment: Iterable[str] = (),
    model: GapFilling | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    lexicons: Lexicons | None = None,
) -> AuditReport:
    """Read a corpus once, in memory that does not grow with it, and return what was found.

    Args:
        corpus: the captions, in chunks of any size. If it is a `Corpus`, the report has what was not read of it.
        name: name of the corpus in the report.
        augment: the augmentations of the recipe that trains on it, keys of `vlcheck.audit.augment.AUGMENTATIONS`.
        model: a model that fills gaps from the text alone, as `load_model` gives it for a masked-language model; None
            to leave out the guessable captions.
        sample: largest number of pictures that are opened, and of captions that the model is asked about, above 0.
        seed: seed of the samples.
        lexicons: the words to look for; None for the shipped ones.

    Raises:
        UsageError: an augmentation is unknown, the sample is not above 0, the model cannot fill gaps, or the corpus has
            no caption.

    Example:
        >>> from vlcheck.audit.caption import Caption
        >>> rows = [Caption(f"a man to the left of {n} cups", f"{n}.jpg") for n in range(100)]
        >>> sorted(audit_corpus([rows], augment=["flip"]).causes)
        ['flips without their words', 'skewed sides']
    """
    started = time.perf_counter()
    recipe = read_augmentations(augment)
    _demand(model, sample)
    words = AuditWords(lexicons or load_lexicons(lexicons_path()))
    sets = WordSetsCheck(words, seed)
    checks: tuple[Check, ...] = (
        GuessableCheck(words, model, sample, seed),
        PicturesCheck(sample, seed),
        ColorsCheck(words),
        SidesCheck(words),
        VerticalsCheck(words),
        sets,
        PlacesCheck(words),
    )
    whole = _read(corpus, checks, recipe)
    if not whole.captions:
        raise UsageError(f"{parameter('captions')}: {name or 'the corpus'} has no caption.")
    findings = [finding for check in checks for finding in check.findings(whole)]
    return AuditReport(
        corpus=name,
        captions=whole.captions,
        pictures=sets.pictures,
        skipped=dict(corpus.unread.skipped) if isinstance(corpus, Corpus) else {},
        augment=tuple(sorted(recipe)),
        findings=tuple(sorted(findings, key=_gravity)),
        seconds=time.perf_counter() - started,
    )


def _demand(model: object, sample: int) -> None:
    if sample < 1:
        raise UsageError(f"{parameter('sample')} is {sample}; it has to be a whole number above 0.")
    if model is not None and not isinstance(model, GapFilling):
        name = getattr(model, "name", type(model).__name__)
        raise UsageError(
            f"{parameter('model')}: {name} fills no gaps from words alone. Accepted: a masked-language model, or a"
            " vision-language model with a masked-word head that reads texts without a picture."
        )


def _read(corpus: Iterable[Sequence[Caption]], checks: Sequence[Check], recipe: frozenset[str]) -> WholeCorpus:
    """Show each caption to each check, and return what is known of them as a whole."""
    see, pictures = [check.see for check in checks], PictureCounter()
    captions = 0
    for chunk in corpus:
        captions += len(chunk)
        for caption in chunk:
            words = split_words(caption.text)
            row = ReadCaption(caption, words, set(words))
            pictures.see(caption.image)
            for one in see:
                one(row)
    return WholeCorpus(captions, pictures.per, recipe)


def _gravity(finding: AuditFinding) -> int:
    """Return the place of a finding in a report: by the bias that it bears on, the grave ones first."""
    return BIASES.index(finding.bias) if finding.bias in BIASES else len(BIASES)
