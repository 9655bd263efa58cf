"""The first line of a results file: the model, the data, the policy and the settings of a run."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from vlcheck.results.records.fields import CountOrNone, FlagOrNone, Object, Record, Text, TextOrNone, Texts, Whole

UNMEASURED = "Trust: not measured."  # of a method, beside its name


class KnownBias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the policy's known biases, in the line of the run.

    Attributes:
        path: the policy's file.
        number: number of the entry in it.
        behavior: the behavior that is known to fail; "" if the entry names a bias.
        bias: the bias that is known; "" if the entry names a behavior.
        metric: the metric that it is about; "" for all.
        reason: why it is excused.
        until: the last day on which it is excused, as YYYY-MM-DD.
        invalid: whether invalid verdicts are excused as well.
        stale: the message if its tests pass.
        needless: the message if it excuses invalid verdicts and there are none.
    """

    path: TextOrNone = None
    number: CountOrNone = None
    behavior: str
    bias: str
    metric: str
    reason: TextOrNone = None
    until: TextOrNone = None
    invalid: FlagOrNone = None
    stale: str
    needless: TextOrNone = None


class PolicyInForce(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The policy of a run.

    Attributes:
        path: its file.
        tables: its tables.
        known: its known biases.
    """

    path: TextOrNone = None
    tables: dict[str, Any] | None = None
    known: list[KnownBias] = field(default_factory=list)


class ContractRecord(Record, frozen=True, kw_only=True):
    """The check of the model's contract.

    Attributes:
        tried: whether the contract was checked.
        broken: the clauses that are broken.
    """

    tried: bool
    broken: list[str]


class WrapperRecord(Record, frozen=True, kw_only=True):
    """A change that the model of a run makes to the answers of another one.

    Attributes:
        wrapper: its name, e.g. "symmetrised".
        says: a sentence without a full stop about its effect.
        model: name of the other model.
        fingerprint: digest of the other model's weights and code.
    """

    wrapper: Text
    says: Text
    model: Text
    fingerprint: Text


class StatedRecord(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bias and the metric of a selected test.

    Attributes:
        bias: the bias.
        metric: the metric.
    """

    bias: str
    metric: str


class MethodRecord(Record, frozen=True, kw_only=True):
    """A method that explains cases of a run.

    Attributes:
        name: its identifier, e.g. "gradcam".
        title: its name in words.
        meaning: the meaning of its values, in a sentence.
        trust: its measures where the truth is known, in a sentence, or UNMEASURED; "" in older files.
        count: number of cases that were to be explained, the worst of the run.
    """

    name: Text
    title: Text
    meaning: Text = ""
    trust: Text = ""
    count: Whole


class RunRecord(Record, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """The first line: the model, the data and the settings of a run.

    Attributes:
        schema: version of the file's format.
        model: the model's spec.
        name: the model's name.
        fingerprint: digest of its weights and code.
        baseline: file of the results that it was compared with.
        score_kinds: kind of score by metric.
        data: spec of the cases.
        images: number of images that were requested.
        seed: seed of the choice of cases.
        sequential: whether images were asked about in growing batches.
        device: the device that the model ran on.
        dtype: the model's precision.
        trust_remote_code: whether Python code of the checkpoint was allowed to run.
        versions: versions of packages, by name.
        started: time of the start, as ISO 8601.
        policy: the policy of the run.
        left_out: number of cases that the data left out, by reason.
        contract: the check of the model's contract.
        run_id: id of the run; None in older files.
        complete: whether the whole suite was selected.
        required: biases for which the policy requires a pass or a fail.
        unjudged: selected tests without a verdict.
        stated: bias and metric of each selected test.
        explained: the methods that explain its worst cases.
        unasked: tests of the suite that need an explanation for which the run did not ask.
        sees: whether the model sees the pictures; None in older files.
        wrappers: the wrappers between the model's answers and its network, the outermost first; mostly none.
        setup: the treatment of pictures, texts and weights, by name, e.g. "pictures"; empty in older files.
        wordings: the wordings of the question that the model was asked, the usual one first; empty if it was asked in
            one alone.
        options: further options on which verdicts depend, by their names without `--vl-`, as they were given: columns,
            lexicons, explain, and compile with an empty value; empty in older files.
        lexicons: digest of the words of the lexicons that the data was read with; None in older files.
        objects: the parameters of `vlcheck.evaluate` that were Python objects, which no command can name: model, data,
            policy; empty in older files.
        exit_status: exit status of the run's process; None while it runs.
        verdicts: number of verdicts in the whole file.
        lines: number of lines in the whole file.
    """

    schema: Annotated[int, Meta(description="a whole number")]
    model: TextOrNone = None
    name: Text
    fingerprint: Text
    baseline: TextOrNone = None
    score_kinds: Object = field(default_factory=dict)
    data: Text
    images: CountOrNone = None
    seed: CountOrNone = None
    sequential: FlagOrNone = None
    device: TextOrNone = None
    dtype: TextOrNone = None
    trust_remote_code: FlagOrNone = None
    versions: Object = field(default_factory=dict)
    started: Text
    policy: Annotated[
        PolicyInForce,
        Meta(description="an object whose known biases have texts under bias, behavior, metric, stale, or null"),
    ] = field(default_factory=PolicyInForce)
    left_out: Object = field(default_factory=dict)
    contract: Annotated[
        ContractRecord | None, Meta(description="an object with tried, a flag, and broken, a list of texts, or null")
    ] = None
    run_id: TextOrNone = None
    complete: FlagOrNone = None
    required: Texts = field(default_factory=list)
    unjudged: Texts = field(default_factory=list)
    stated: Annotated[
        dict[str, StatedRecord], Meta(description="an object of objects that have a bias and a metric, or null")
    ] = field(default_factory=dict)
    explained: Annotated[
        list[MethodRecord], Meta(description="a list of objects with name, title and count, or null")
    ] = field(default_factory=list)
    unasked: Texts = field(default_factory=list)
    sees: FlagOrNone = None
    wrappers: Annotated[
        list[WrapperRecord], Meta(description="a list of objects with wrapper, says, model and fingerprint, or null")
    ] = field(default_factory=list)
    setup: Annotated[dict[str, str], Meta(description="an object of texts, or null")] = field(default_factory=dict)
    wordings: Texts = field(default_factory=list)
    options: Annotated[dict[str, str], Meta(description="an object of texts, or null")] = field(default_factory=dict)
    lexicons: TextOrNone = None
    objects: Texts = field(default_factory=list)
    exit_status: CountOrNone = None
    verdicts: CountOrNone = None
    lines: CountOrNone = None

    def lacks(self, metric: str) -> bool:
        """Return True if the model has no score for a metric, as far as the file says."""
        return bool(self.score_kinds) and metric not in self.score_kinds
