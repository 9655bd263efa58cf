"""The parsed spec of a model. `parse` parses it once; all functions that load a model take a `ModelSpec`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vlcheck._util.spec_grammar import Adapted, Factory, Reference, Several, Single, Wrapped, parse_model
from vlcheck.errors import argument
from vlcheck.metrics.registry import DEFAULT_KINDS


@dataclass(frozen=True)
class ModelSpec:
    """One model, a model for each metric, or a wrapper around another model.

    Attributes:
        said: the text that was parsed; errors name it.
        family: registered name, e.g. "albef"; "" for a checkpoint of transformers and for a factory.
        path: path of the checkpoint, or its id on the hub, as it was written.
        revision: revision of the hub's repository; "" if none is named.
        adapter: the place of the adapter in `BASE+ADAPTER`; None if none is named.
        factory: the function that makes the model; None if none is named.
        options: (key, value) of each `,KEY=VALUE`, in order.
        heads: (metric, spec) of each model in `itm=SPEC,mlm=SPEC`; then all other fields but `said` are empty.
        wrapper: name of the wrapper in `WRAPPER:SPEC`; then all other fields but `said` and `inner` are empty.
        inner: the wrapped model; None without a wrapper.
    """

    said: str
    family: str = ""
    path: str = ""
    revision: str = ""
    adapter: Reference | None = None
    factory: Factory | None = None
    options: tuple[tuple[str, str], ...] = ()
    heads: tuple[tuple[str, ModelSpec], ...] = ()
    wrapper: str = ""
    inner: ModelSpec | None = None

    @property
    def regions(self) -> str:
        """The detector that `,regions=` names; "" if there is no such option."""
        return dict(self.options).get("regions", "")

    @property
    def named(self) -> str:
        """The spec without its options, for messages."""
        return str(self.factory or self._what)

    @property
    def _what(self) -> Reference | Adapted:
        base = Reference(self.family, self.path, self.revision)
        return Adapted(base, self.adapter) if self.adapter else base

    def at(self, base: Reference, adapter: Reference | None = None) -> str:
        """Return the spec of the same model at other places, e.g. at commits.

        Args:
            base: the place of the checkpoint.
            adapter: the place of the adapter; None for none.

        Example:
            >>> ModelSpec("org/name,regions=D", options=(("regions", "D"),)).at(Reference("", "org/name", "v1"))
            'org/name@v1,regions=D'
        """
        return str(Single(Adapted(base, adapter) if adapter else base, self.options))


def parse(spec: str, families: Collection[str], wrappers: Collection[str] = ()) -> ModelSpec:
    """Parse the spec of a model.

    Args:
        spec: the text; `vlcheck._util.spec_grammar` has the grammar.
        families: registered names; any other text before a colon is a part of the path.
        wrappers: names that stand before the spec of another model.

    Raises:
        UsageError: a part of the spec has no meaning; the message names it and what would be accepted.

    Example:
        >>> parse("albef:ALBEF_4M.pth", ["albef"]).path
        'ALBEF_4M.pth'
    """
    return _spec(parse_model(spec, families, DEFAULT_KINDS, wrappers=wrappers), spec)


def _spec(parsed: Single | Several, said: str) -> ModelSpec:
    if isinstance(parsed, Several):
        return ModelSpec(said, heads=tuple((metric, _spec(part, part.said)) for metric, part in parsed.parts))
    what = parsed.what
    if isinstance(what, Wrapped):
        return ModelSpec(said, wrapper=what.wrapper, inner=_spec(what.inner, said.partition(":")[2]))
    if isinstance(what, Factory):
        return ModelSpec(parsed.said, factory=what, options=parsed.options)
    base, adapter = (what.base, what.adapter) if isinstance(what, Adapted) else (what, None)
    return ModelSpec(parsed.said, base.scheme, base.path, str(base.at), adapter, options=parsed.options)


def said_spec(spec: str) -> str:
    """Return the beginning of a message about the model of a spec."""
    return argument("model", repr(spec))
