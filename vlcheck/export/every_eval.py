"""The record of Every Eval Ever, a public schema for results of evaluations, whatever tool they come from.

Source:
    https://github.com/evaleval/every_eval_ever, eval.schema.json, version 0.3.0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vlcheck._util.numbers import between, figure, rounded
from vlcheck.errors import UsageError, nearest
from vlcheck.results.asked import amount_of, dataset_of, hub_dataset_of, scheme_of
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.unjudged import is_ended
from vlcheck.stats.decision import HOLLOW

SCHEMA_VERSION = "0.3.0"
LEVELS = ("fail", "inconclusive", "pass")  # of a mean: it has to lie in a band, so that no end of it is better
RELATIONSHIPS = ("first_party", "third_party", "collaborative", "other")


@dataclass(frozen=True)
class EvaluatingParty:
    """The people who ran the evaluation.

    Attributes:
        organization: their name.
        relationship: one of RELATIONSHIPS: whether they made the model.
        model: the model's id, e.g. "ORG/NAME"; "" for its name in the results.
    """

    organization: str
    relationship: str
    model: str = ""

    def __post_init__(self) -> None:
        """Raise UsageError unless the organization has a name, and the relationship is one of the schema's."""
        if not self.organization.strip():
            raise UsageError("--organization: is empty; name who ran the evaluation.")
        if self.relationship not in RELATIONSHIPS:
            raise UsageError(f"--relationship {self.relationship}: {nearest(self.relationship, RELATIONSHIPS)}")


def evaluation_record(results: ResultLines, evaluator: EvaluatingParty, now: int) -> Mapping[str, Any]:
    """Return the record of a run. Invalid verdicts and those that were not asked have no score, and are counted.

    Args:
        results: the results of the run.
        evaluator: the people who ran it.
        now: the time of the record, in seconds since 1970.
    """
    run = results.run
    model = evaluator.model or run.name
    scored = [one for one in results.verdicts.values() if one.status not in HOLLOW and one.observed is not None]
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"vlcheck/{model}/{now}",
        "evaluation_timestamp": _seconds(run, now),
        "retrieved_timestamp": str(now),
        "source_metadata": {
            "source_name": "vlcheck",
            "source_type": "evaluation_run",
            "source_organization_name": evaluator.organization,
            "evaluator_relationship": evaluator.relationship,
            "additional_details": dict(_of_the_run(results, len(scored))),
        },
        "eval_library": {"name": "vlcheck", "version": str(run.versions.get("vlcheck", "unknown"))},
        "model_info": _model(run, model),
        "evaluation_results": [_result(run, verdict) for verdict in scored],
    }


def _of_the_run(results: ResultLines, scored: int) -> Iterator[tuple[str, str]]:
    """Yield details of the run; all values are texts."""
    found = conclude(results)
    yield "conclusion", " ".join(filter(None, (found.sentence, found.counts)))
    yield "run", "ended" if is_ended(results.run) else "stopped before its end"
    yield "verdicts_without_a_score", str(len(results.verdicts) - scored)
    yield "tests_without_a_verdict", str(len(results.run.unjudged))


def _model(run: RunRecord, model: str) -> Mapping[str, Any]:
    served = str(run.model or "").startswith("openai:")
    details = {"fingerprint": run.fingerprint, **{f"setup_{name}": said for name, said in run.setup.items()}}
    details |= {"deployment_type": "externally_managed" if served else "self_deployed", "model_availability": "unknown"}
    return {"name": run.name, "id": model, "additional_details": details}


def _result(run: RunRecord, verdict: VerdictRecord) -> Mapping[str, Any]:
    return {
        "evaluation_result_id": f"{verdict.test}#{verdict.metric}",
        "evaluation_name": f"vlcheck.{verdict.bias}.{verdict.behavior.removeprefix('test_')}.{verdict.metric}",
        "source_data": _data(run, verdict),
        "metric_config": _mean(verdict) if verdict.claim == "mean" else _rate(verdict),
        "score_details": {
            "score": LEVELS.index(verdict.status) if verdict.claim == "mean" else rounded(verdict.rate or 0.0),
            "details": dict(_details(verdict)),
            "uncertainty": _uncertainty(verdict),
        },
    }


def _data(run: RunRecord, verdict: VerdictRecord) -> Mapping[str, Any]:
    named: dict[str, Any] = {"dataset_name": dataset_of(run), "additional_details": {"kind": scheme_of(run)}}
    if amount := amount_of(run):
        named["additional_details"]["amount"] = amount
    if hub := hub_dataset_of(run):
        return {**named, "source_type": "hf_dataset", "hf_repo": hub, "samples_number": verdict.n or 0}
    return {**named, "source_type": "other"}


def _rate(verdict: VerdictRecord) -> Mapping[str, Any]:
    return {
        "evaluation_description": verdict.doc or verdict.behavior,
        "metric_id": "vlcheck.violation_rate",
        "metric_name": "share of images that violate the statement of the test",
        "metric_kind": "violation_rate",
        "metric_unit": "proportion",
        "metric_parameters": {"allowed": verdict.allowed, "alpha": verdict.alpha},
        "lower_is_better": True,
        "score_type": "continuous",
        "min_score": 0,
        "max_score": 1,
    }


def _mean(verdict: VerdictRecord) -> Mapping[str, Any]:
    low, high = verdict.band or (None, None)
    return {
        "evaluation_description": verdict.doc or verdict.behavior,
        "metric_id": "vlcheck.mean_in_band",
        "metric_name": "verdict on whether a mean change of the score lies in its band",
        "metric_kind": "verdict",
        "metric_parameters": {"band_low": low, "band_high": high, "alpha": verdict.alpha},
        "lower_is_better": False,
        "score_type": "levels",
        "level_names": [*LEVELS],
        "has_unknown_level": False,
    }


def _details(verdict: VerdictRecord) -> Iterator[tuple[str, str]]:
    """Yield details of a verdict; all values are texts."""
    yield "verdict", verdict.status
    yield "score_kind", verdict.score_kind
    if verdict.claim == "mean":
        yield "mean", figure(verdict.effect)
        yield "interval", between(*verdict.interval)
    if verdict.reason:
        yield "reason", verdict.reason
    if verdict.known:
        yield "known_bias", f"{verdict.known.reason or ''} (until {verdict.known.until})"


def _uncertainty(verdict: VerdictRecord) -> Mapping[str, Any]:
    """Return the number of images, and the bounds of a rate: each is one-sided, so that both hold at 1 - 2 alpha."""
    found: dict[str, Any] = {} if verdict.n is None else {"num_samples": verdict.n}
    low, high = verdict.rate_low, verdict.rate_high
    if verdict.claim != "mean" and low is not None and high is not None:
        bounds: dict[str, Any] = {"lower": rounded(low), "upper": rounded(high)}
        if verdict.alpha is not None and 0 <= verdict.alpha <= 0.5:
            bounds["confidence_level"] = rounded(1 - 2 * verdict.alpha)
        found["confidence_interval"] = bounds | {"method": "two one-sided bounds"}
    return found


def _seconds(run: RunRecord, now: int) -> str:
    with suppress(ValueError, OverflowError):
        return str(int(datetime.fromisoformat(run.started).timestamp()))
    return str(now)
