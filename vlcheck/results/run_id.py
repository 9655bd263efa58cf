"""The id of a run: given by an option, taken from the variables of a CI server, or random."""

from __future__ import annotations

import os
from collections.abc import Mapping

from vlcheck.errors import UsageError, printable

_LONGEST = 200
# The variables of CI servers for a run, and for an attempt at it or a job of it; the first that is set is used.
_NAMES = (
    ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"),  # Gitea and Forgejo have the same names
    ("CI_PIPELINE_ID", "CI_JOB_ID"),  # GitLab
    ("CI_JOB_ID",),
    ("BUILD_TAG",),  # Jenkins
    ("BUILDKITE_BUILD_ID", "BUILDKITE_RETRY_COUNT"),
    ("CIRCLE_WORKFLOW_ID",),
    ("BUILD_BUILDID", "SYSTEM_JOBATTEMPT"),  # Azure
    ("BITBUCKET_PIPELINE_UUID", "BITBUCKET_PIPELINE_RUN_NUMBER"),
    ("CODEBUILD_BUILD_ID",),
    ("APPVEYOR_JOB_ID",),
    ("TRAVIS_JOB_ID",),
)
CI = tuple(dict.fromkeys(name for names in _NAMES for name in names))


def of_ci(environment: Mapping[str, str]) -> str:
    """Return the id that a CI server gives the run by its environment variables; "" if there is none."""
    for names in _NAMES:
        if environment.get(names[0]):
            return "-".join(environment[name] for name in names if environment.get(name))
    return ""


def drawn() -> str:
    """Return a random id that no other run has."""
    return os.urandom(16).hex()


def checked(run_id: str, option: str) -> str:
    """Return the id of a run if it is valid.

    Args:
        run_id: the id.
        option: the option or parameter that gives it, for messages.

    Raises:
        UsageError: the id is empty, too long or not printable.
    """
    if not run_id.strip():
        raise UsageError(f"{option}: is empty; leave it out, or name the run, e.g. by the number of its pipeline.")
    if len(run_id) > _LONGEST or not run_id.isprintable():
        said = printable(run_id, 60)
        raise UsageError(f"{option} {said}: has to be at most {_LONGEST} characters long, without control characters.")
    return run_id
