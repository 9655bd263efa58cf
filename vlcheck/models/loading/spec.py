"""The parsed spec of a model. `parse` parses it once; all functions that load a model take a `ModelSpec`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vlcheck._util.spec_grammar import Factory, Reference, Single, parse_model
from vlcheck.metrics.registry import DEFAULT_KINDS


@dataclass(frozen=True)
class ModelSpec:
    """One model, or a model for each metric.

    Attributes:
        said: the text that was parsed; errors name it.
        family: registered name, e.g. "albef"; "" for a checkpoint of transformers and for a factory.
        path: path of the checkpoint, or its id on the hub, as it was written.
        revision: revision of the hub's repository; "" if none is named.
        factory: the function that makes the model; None if none is named.
        options: (key, value) of each `,KEY=VALUE`, in order.
        heads: (metric, spec) of each model in `itm=SPEC,mlm=SPEC`; then all other fields but `said` are empty.
    """

    said: str
    family: str = ""
    path: str = ""
    revision: str = ""
    factory: Factory | None = None
    options: tuple[tuple[str, str], ...] = ()
    heads: tuple[tuple[str, ModelSpec], ...] = ()

    @property
    def regions(self) -> str:
        """The detector that `,regions=` names; "" if there is no such option."""
        return dict(self.options).get("regions", "")

    @property
    def named(self) -> str:
        """The spec without its options, for messages."""
        return str(self.factory or Reference(self.family, self.path, self.revision))

    def at_revision(self, revision: str) -> str:
        """Return the spec of the same model at a revision, e.g. at a commit.

        Example:
            >>> ModelSpec("org/name", path="org/name").at_revision("v1")
            'org/name@v1'
        """
        return str(Single(Reference(self.family, self.path, revision), self.options))


def parse(spec: str, families: Collection[str]) -> ModelSpec:
    """Parse the spec of a model.

    Args:
        spec: the text; `vlcheck._util.spec_grammar` has the grammar.
        families: registered names; any other text before a colon is a part of the path.

    Raises:
        UsageError: a part of the spec has no meaning; the message names it and what would be accepted.

    Example:
        >>> parse("albef:ALBEF_4M.pth", ["albef"]).path
        'ALBEF_4M.pth'
    """
    parsed = parse_model(spec, families, DEFAULT_KINDS)
    if isinstance(parsed, Single):
        return _single(parsed)
    return ModelSpec(spec, heads=tuple((metric, _single(part)) for metric, part in parsed.parts))


def _single(parsed: Single) -> ModelSpec:
    what = parsed.what
    if isinstance(what, Factory):
        return ModelSpec(parsed.said, factory=what, options=parsed.options)
    return ModelSpec(parsed.said, what.scheme, what.path, str(what.at), options=parsed.options)
