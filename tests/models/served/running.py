"""The small server in a process of its own, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.models.served.server import MODEL
from tests.warm_python import warm_python


@dataclass
class Running:
    """A server that is running.

    Attributes:
        process: its process.
        port: its port.
        faulty: whether something is wrong with it.
    """

    process: subprocess.Popen[str]
    port: int
    faulty: bool = False

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """URL and model, as a spec has them after `openai:`."""
        return f"{self.root}/v1#{MODEL}"

    @property
    def spec(self) -> str:
        return f"openai:{self.path}"

    def faults(self, **faults: Any) -> None:
        """Set what is wrong with the server, and nothing else; forget what was asked."""
        self.faulty = bool(faults)
        httpx.post(f"{self.root}/faults", json=faults).raise_for_status()

    @property
    def log(self) -> dict[str, Any]:
        return httpx.get(f"{self.root}/log").json()


@contextmanager
def running(backend: str, *, warm: bool = False, port: int = 0) -> Iterator[Running]:
    """Run the server.

    Args:
        backend: "drawn", "tiny", or the folder of a checkpoint.
        warm: whether it needs torch.
        port: its port; 0 for any that is free.
    """
    pytest.importorskip("uvicorn", reason="needs uvicorn, of the dependency group `tests`")
    python = warm_python().command if warm else sys.executable
    command = [python, "-m", "tests.models.served.server", backend, f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield Running(process, int(process.stdout.readline()))
        finally:
            process.kill()
