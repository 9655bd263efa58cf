"""Servers that others wrote, in a process of their own: `transformers serve`, vLLM."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

SAID = 3000  # characters of a server's log that an error repeats


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def serving(
    command: Callable[[int], Sequence[str]], log: Path, *, seconds: float, environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Run a server until the end of the block; yield its URL once it is healthy.

    Args:
        command: writes the command for a port.
        log: file for what the server says.
        seconds: how long it may take to start.
        environment: its environment.

    Raises:
        RuntimeError: it does not start; with the end of what it said.
    """
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    with (
        log.open("w") as said,
        subprocess.Popen(command(port), stdout=said, stderr=said, env=dict(environment), cwd=log.parent) as process,
    ):
        try:
            _wait(process, f"{root}/health", log, time.monotonic() + seconds)
            yield f"{root}/v1"
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, until: float) -> None:
    while not _healthy(url):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"it does not start: {log.read_text(errors='replace')[-SAID:]}")
        time.sleep(0.2)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False
