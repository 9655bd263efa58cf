"""Behavioural tests for vision-language models."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers know it by name; to import typing takes longer than all of this
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from vlcheck import expect, explain, perturb
    from vlcheck.api import Results, compare, evaluate, read_results
    from vlcheck.behaviors.binding import behavior
    from vlcheck.cases.case import Case
    from vlcheck.cases.selection import with_target
    from vlcheck.datasets.registry import open_source as open_cases
    from vlcheck.equivalence.parity import keep_answers, parity
    from vlcheck.errors import NotApplicable, UsageError
    from vlcheck.explain.attribution.attribute import Attribution
    from vlcheck.explain.attribution.explain_score import explain_score
    from vlcheck.models.loading.check import check_model
    from vlcheck.models.loading.load import load_model
    from vlcheck.models.loading.registry import list_models
    from vlcheck.models.protocol import VisionLanguageModel
    from vlcheck.results.records import VerdictRecord as Verdict

__version__ = "0.1.0"
__all__ = [
    "Attribution",
    "Case",
    "NotApplicable",
    "Results",
    "UsageError",
    "Verdict",
    "VisionLanguageModel",
    "__version__",
    "behavior",
    "check_model",
    "compare",
    "evaluate",
    "expect",
    "explain",
    "explain_score",
    "keep_answers",
    "list_models",
    "load_model",
    "open_cases",
    "parity",
    "perturb",
    "read_results",
    "with_target",
]

# pytest imports this package in every run of every project that has it installed: a public name is loaded on first use.
_HOMES = {
    "Attribution": "vlcheck.explain.attribution.attribute:Attribution",
    "Case": "vlcheck.cases.case:Case",
    "NotApplicable": "vlcheck.errors:NotApplicable",
    "Results": "vlcheck.api:Results",
    "UsageError": "vlcheck.errors:UsageError",
    "Verdict": "vlcheck.results.records:VerdictRecord",
    "VisionLanguageModel": "vlcheck.models.protocol:VisionLanguageModel",
    "behavior": "vlcheck.behaviors.binding:behavior",
    "check_model": "vlcheck.models.loading.check:check_model",
    "compare": "vlcheck.api:compare",
    "evaluate": "vlcheck.api:evaluate",
    "expect": "vlcheck.expect",
    "explain": "vlcheck.explain",
    "explain_score": "vlcheck.explain.attribution.explain_score:explain_score",
    "keep_answers": "vlcheck.equivalence.parity:keep_answers",
    "list_models": "vlcheck.models.loading.registry:list_models",
    "load_model": "vlcheck.models.loading.load:load_model",
    "open_cases": "vlcheck.datasets.registry:open_source",
    "parity": "vlcheck.equivalence.parity:parity",
    "perturb": "vlcheck.perturb",
    "read_results": "vlcheck.api:read_results",
    "with_target": "vlcheck.cases.selection:with_target",
}


class _MovedFinder:
    """Finds modules by their names of an earlier release, after all other finders."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("vlcheck."):
            return None
        from vlcheck import _moved

        return _moved.find_spec(name)


sys.meta_path.append(_MovedFinder)

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        """Load a public name."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
        from pkgutil import resolve_name

        found = globals()[name] = resolve_name(_HOMES[name])
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
