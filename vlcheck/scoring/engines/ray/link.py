"""The run's end of its connection to the driver of the cluster."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from vlcheck.scoring.engines.ray.messages import Begin

_PATIENCE = 15.0  # seconds for a driver to end a local cluster before it is killed
_ENVIRONMENT: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
    "RAY_worker_niceness": "0",  # of a local cluster: its work is what the run waits for
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",  # then Ray ends the driver, whose cluster is gone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray will do by default; it says so each time otherwise
    "RAY_enable_infeasible_task_early_exit": "0",
}


class Gone(Exception):
    """The driver has ended; the message is its last line."""


class Link:
    """Starts a driver, and exchanges messages with it.

    Args:
        begin: the first message.
        log: file for the driver's output.
    """

    def __init__(self, begin: Begin, log: Path) -> None:
        self._log = log
        ours, theirs = socket.socketpair()
        with theirs, log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - of this Python
                [sys.executable, "-P", "-m", "vlcheck.scoring.engines.ray.driver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**_ENVIRONMENT, **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the run alone
            )
        self._connection = Connection(ours.detach())
        self.send(begin)

    def send(self, message: object) -> None:
        """Send a message. Raises Gone."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> object:
        """Wait for a message. Raises Gone."""
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._gone() from error

    def close(self) -> None:
        """End the driver, and a cluster that it started."""
        self._connection.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _gone(self) -> Gone:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return Gone(next((line for line in reversed(lines) if line.strip()), ""))
