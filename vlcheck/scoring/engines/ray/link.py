"""The run's end of its connection to the driver of the cluster."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from vlcheck.scoring.engines.ray.messages import Begin

_PATIENCE = 15.0  # seconds for a driver to end a local cluster before it is killed
_ENVIRONMENT: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
    "RAY_worker_niceness": "0",  # of a local cluster: its work is what the run waits for
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",  # then Ray ends the driver, whose cluster is gone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray will do by default; it says so each time otherwise
    "RAY_enable_infeasible_task_early_exit": "0",
}
_PREFIX = re.compile(r"\[[^\]]*\] \S+:\d+: ")  # of a line that Ray's C++ logs: time, process, file


class Gone(Exception):
    """The driver has ended; the message is its last line."""


@dataclass(frozen=True)
class _End:
    """The end of all messages, with the error that says so."""

    error: Exception


class Link:
    """Starts a driver, and exchanges messages with it.

    Messages of the driver are taken in by a thread, also while one is sent to it: otherwise both ends could wait for
    the other one to read.

    Args:
        begin: the first message.
        log: file for the driver's output.

    Attributes:
        heard: whether the driver has sent any message.
    """

    def __init__(self, begin: Begin, log: Path) -> None:
        self.heard = False
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
        self._socket = ours
        self._connection = Connection(os.dup(ours.fileno()))
        self._received: SimpleQueue[object] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.send(begin)

    def send(self, message: object) -> None:
        """Send a message. Raises Gone."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> object:
        """Wait for a message. Raises Gone."""
        message = self._received.get()
        if isinstance(message, _End):
            self._received.put(message)  # for the next call
            raise self._gone() from message.error
        self.heard = True
        return message

    def _read(self) -> None:
        """Take messages in until the driver ends, or one cannot be read."""
        while True:
            try:
                self._received.put(self._connection.recv())
            except Exception as error:  # noqa: BLE001 - also of a message that cannot be unpickled
                self._received.put(_End(error))
                return

    def close(self) -> None:
        """End the driver, and a cluster that it started."""
        with suppress(OSError):  # the driver may have ended
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()
        self._connection.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _gone(self) -> Gone:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return Gone(_PREFIX.sub("", last).strip().rstrip("."))
