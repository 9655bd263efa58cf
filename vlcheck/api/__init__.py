"""A suite run from Python: `vlcheck.evaluate`, and what is done with its results."""

from vlcheck.api.evaluation import evaluate
from vlcheck.api.results import Results, compare, read_results

__all__ = ["Results", "compare", "evaluate", "read_results"]
