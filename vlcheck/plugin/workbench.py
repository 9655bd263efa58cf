"""What a run works with once something is to be scored: the model, the cases, the policy and the kept scores."""

from __future__ import annotations

import base64
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from vlcheck.behaviors.schedule import looks_at
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.cases.picture import Picture
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.evaluation.evidence import Judgement
from vlcheck.evaluation.preview import Foresight, foresee, preview
from vlcheck.metrics.query import Query
from vlcheck.models import tried
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel, only_compares
from vlcheck.plugin.options import Settings
from vlcheck.policy.policy import Policy
from vlcheck.scoring.engines.local import work_together
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.render import size_of_shown
from vlcheck.scoring.scorer import Progress, Scorer
from vlcheck.scoring.store import ScoreStore

_ALSO = ("scipy", "pytest")  # versions that no score hangs on, and a verdict may


@dataclass(frozen=True)
class Workbench:
    """A run's model under test, and how to score ahead for it."""

    model: ModelUnderTest
    settings: Settings
    started: datetime
    held: ExitStack

    @classmethod
    def open(cls, settings: Settings, policy: Policy, source: CaseSource, folder: Path, started: datetime) -> Workbench:
        """Load what the cases are to be asked of, the quickest to be wrong first.

        Args:
            settings: what the options say.
            policy: what the model is held to.
            source: the cases.
            folder: what the run's processes share.
            started: when the run did.

        Raises:
            UsageError: naming the option that cannot be satisfied.
        """
        adapter = _model(settings)
        held = ExitStack()
        path = settings.store or folder / "scores.sqlite"
        store = held.enter_context(
            ScoreStore(path, adapter.fingerprint, run=folder.name, in_scratch=not settings.store)
        )
        scorer = Scorer(adapter, store, batch_size=settings.batch_size, thumbnails=settings.images)
        trials = Trials(source, relative=only_compares(adapter))
        looks = looks_at(source.seed, sequential=settings.sequential)
        operating = Operating(trials, adapter.kinds, looks, scorer.answers)
        return cls(ModelUnderTest(adapter, trials, scorer, policy, operating), settings, started, held)

    def close(self) -> None:
        """Close the store."""
        self.held.close()

    def foresee(self, tests: Sequence[BehaviorTest]) -> Foresight:
        """What the chosen tests take and can tell."""
        model = self.model
        return foresee(tests, model.operating, model.policy, model.adapter.metrics)

    def superseded(self) -> Iterator[str]:
        """A line where the kept scores of the model are of other versions than those that are installed."""
        if said := self.model.scorer.store.superseded():
            yield said

    def score(self, queries: Iterable[Query], leases: Path, progress: Callable[[Progress], None]) -> None:
        """Answer all queries, together with every process that calls this with the same ones and leases."""
        plan = make_plan(queries, batch_size=self.settings.batch_size)
        work_together(plan, self.model.scorer, leases, progress=progress)

    def header(self) -> dict[str, object]:
        """The results file's first line, but for how the run ended."""
        adapter, settings = self.model.adapter, self.settings
        return {
            "kind": "run",
            "schema": 1,
            "model": settings.model,
            "name": adapter.name,
            "fingerprint": adapter.fingerprint,
            "baseline": str(settings.baseline) if settings.baseline else None,
            "score_kinds": dict(adapter.kinds),
            "data": settings.data,
            "images": self.model.source.images,
            "seed": self.model.source.seed,
            "sequential": settings.sequential,
            "device": settings.device,
            "dtype": settings.dtype,
            "trust_remote_code": settings.trust_remote_code,
            "versions": {"python": platform.python_version()}
            | {**self.model.scorer.store.versions}
            | {name: version(name) for name in _ALSO},
            "started": self.started.isoformat(),
            "policy": self.model.policy.as_dict(),
            "left_out": dict(self.model.source.left_out),
            "contract": asdict(tried.look_up(adapter.fingerprint)),
        }

    def thumbnail(self, picture: Picture) -> bytes:
        """The JPEG of a picture, empty where pictures are to be left out."""
        kept = self.model.scorer.thumbnail(picture) if self.settings.images else None
        return kept.jpeg if kept else b""

    def images(self, judgement: Judgement) -> Iterator[dict[str, object]]:
        """The results' lines for the pictures that a judgement shows; none where pictures are to be left out."""
        if not self.settings.images:
            return
        for picture in judgement.pictures():
            kept = self.model.scorer.thumbnail(picture)
            if kept:
                line = {"kind": "image", "key": picture.key, "sha256": kept.sha256}
                size = zip(("width", "height"), size_of_shown(kept.jpeg), strict=False)
                yield line | {"jpeg": base64.b64encode(kept.jpeg).decode("ascii"), **dict(size)}


def outlook(settings: Settings, policy: Policy, source: CaseSource, tests: Sequence[BehaviorTest]) -> Iterator[str]:
    """The lines of --vl-plan. Raises UsageError naming the option that cannot be satisfied."""
    model = _model(settings) if settings.model else None
    return preview(tests, source, policy, model, looks_at(source.seed, sequential=settings.sequential))


def _model(settings: Settings) -> VisionLanguageModel:
    return load_model(
        settings.model,
        device=settings.device,
        dtype=settings.dtype,
        trust_remote_code=settings.trust_remote_code,
    )
