"""`vlcheck train` in processes of their own: recipes that take a second, or that do not end."""

import os
import resource
import signal
import subprocess
from contextlib import contextmanager

from tests.conftest import ROOT
from tests.warm_python import warm_python

CODE = """
from dataclasses import replace
import vlcheck.cli.train
from tests.zoo.test_training import SMALL
vlcheck.cli.train.TRAINABLE = {"small": SMALL, "endless": replace(SMALL, name="endless", stages=(replace(SMALL.stages[0], steps=10**6),))}
vlcheck.cli.app()
"""  # noqa: E501


@contextmanager
def training(*arguments, largest=resource.RLIM_INFINITY):
    """One that runs, and may write no larger files; it is ended where a test did not see to that."""

    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell takes from what it runs in the background
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    command = [warm_python().command, "-c", CODE, "train", "--examined", "60", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=prepare, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(*arguments, largest=resource.RLIM_INFINITY):
    """What one says that was left to end, and how it did."""
    with training(*arguments, largest=largest) as process:
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err
