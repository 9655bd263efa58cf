"""The loops of other evaluation code, on the suite's own questions: how often each encodes a picture and reads a text.

Written from the published designs, not from their code:

- One pair a forward: each picture is encoded again for each of its texts, test by test, as in the scripts of
  VALSE (Parcalabescu et al. 2022, arXiv:2112.07566) and of Winoground (Thrush et al. 2022, arXiv:2204.03162).
- Batches a data set: pictures and texts go through the model in batches, and each test is a data set of its own that
  shares nothing with the others, as in ARO (Yuksekgonul et al. 2023, arXiv:2210.01936) and SugarCrepe (Hsieh et al.
  2023, arXiv:2306.14610).

Both ask every question of a test before any verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vlcheck.evaluation.preview import Prospect
from vlcheck.scoring.plan import make_plan


@dataclass(frozen=True)
class Loop:
    """How often a loop encodes a picture, and reads a text.

    Attributes:
        pictures: number of pictures, counted as often as they are encoded.
        texts: number of texts, counted as often as they are read.
    """

    pictures: int
    texts: int

    def seconds(self, picture: float, text: float) -> float:
        """Return the time of the loop.

        Args:
            picture: seconds to encode a picture.
            text: seconds to read a text about a picture that is encoded.
        """
        return self.pictures * picture + self.texts * text


def by_pairs(tests: Iterable[Prospect], shown: set[str]) -> Loop:
    """Return the loop that runs the model once for each pair of a picture and a text of each test.

    Args:
        tests: the tests.
        shown: keys of the pictures that can be shown.
    """
    pairs = sum(_own(test, shown).texts for test in tests)
    return Loop(pairs, pairs)


def by_data_sets(tests: Iterable[Prospect], shown: set[str]) -> Loop:
    """Return the loop that encodes the pictures of each test in batches, and shares nothing between tests.

    Args:
        tests: the tests.
        shown: keys of the pictures that can be shown.
    """
    loops = [_own(test, shown) for test in tests]
    return Loop(sum(one.pictures for one in loops), sum(one.texts for one in loops))


def _own(test: Prospect, shown: set[str]) -> Loop:
    """Return the pictures and texts of one test alone."""
    plan = make_plan(query for query in test.queries if query.picture.key in shown)
    return Loop(plan.n_pictures, plan.texts)
