"""Chat templates are filled in by a separate process with limits on time, memory and output."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from vlcheck.errors import UsageError
from vlcheck.models.adapters import template_process
from vlcheck.models.adapters.template_process import MEMORY

SECONDS = 5.0  # of processor time; a usual template takes a millisecond
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)  # numpy's threads, whose stacks count as memory


class Unfilled(Exception):
    """Raised if a template raises an error; the message is the template's."""


class Templates:
    """The process that fills in templates. It is started when it is needed, and again after a template has ended it.

    Args:
        seconds: processor time that a template may take, above 0.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._alone = Lock()

    def fill(self, template: str, conversation: Sequence[Mapping[str, Any]], **said: object) -> str:
        """Fill in a template with a conversation.

        Args:
            template: a Jinja template, as transformers reads it.
            conversation: the messages.
            said: further variables of the template, as `apply_chat_template` takes them.

        Returns:
            The text.

        Raises:
            Unfilled: the template raises an error.
            UsageError: it takes more than `seconds` or MEMORY, or writes too much.
        """
        request = json.dumps({"conversations": [conversation], "chat_template": template, **said}, default=str)
        with self._alone:
            reply = self._asked(request)
        if "raised" in reply:
            raise Unfilled(reply["raised"])
        if "refused" in reply:
            raise UsageError(reply["refused"])
        return reply["text"]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def _asked(self, request: str) -> dict[str, str]:
        """Return the reply of the process; "refused" if the template ended it."""
        process = self._process = self._process or self._started()
        if process.stdin is None or process.stdout is None:
            raise TypeError("the process was started without pipes")
        try:
            process.stdin.write(f"{request}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            status = process.wait()
            self.close()
            return {"refused": self._ended(status)}
        reply: dict[str, str] = json.loads(line)
        return reply

    def _started(self) -> subprocess.Popen[str]:
        # -P: no module is imported from the file's folder or the current folder.
        command = [sys.executable, "-P", str(Path(template_process.__file__)), str(self.seconds)]
        return subprocess.Popen(  # noqa: S603 - this interpreter, a file of this package
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | dict.fromkeys(_THREADS, "1"),
            start_new_session=True,  # Ctrl-C reaches only the process that asks
        )

    def _ended(self, status: int) -> str:
        """Return the reason why the process ended, given its exit status."""
        if status == -signal.SIGPROF:
            return f"takes more than {self.seconds:g} seconds, and was stopped"
        return f"the process that fills it in ended with {status}; it may take {MEMORY >> 30} GB of memory"


@cache
def templates() -> Templates:
    """Return the process for templates that all models share, since it takes most of a second to start."""
    made = Templates()
    atexit.register(made.close)
    return made
