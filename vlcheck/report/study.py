"""The study whose figures the tables of a run repeat for its model; docs/explanation/study.md names it in full."""

from __future__ import annotations


def study_figure(number: int) -> str:
    """Return the name of a figure of the study, for captions: "figure 3 of Jung et al. 2023"."""
    return f"figure {number} of Jung et al. 2023"
