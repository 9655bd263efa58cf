"""The driver: a process that is a client of the cluster, and takes messages of the run through a socket.

It is started as `python -m vlcheck.scoring.engines.ray.driver SOCKET`, and imports neither torch nor code of the user.
It ends with the run, however that ends.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

import ray

from vlcheck.errors import printable
from vlcheck.scoring.engines.ray.address import LOCAL
from vlcheck.scoring.engines.ray.fleet import Fleet
from vlcheck.scoring.engines.ray.messages import Begin, CannotGoOn

_PATIENCE = 0.05  # seconds between looks at the messages of the run
_STORE = 200_000_000  # bytes of a local cluster's memory for chunks and answers on their way


def serve(socket: int) -> None:
    """Serve the run at the other end of a socket, until it ends.

    Args:
        socket: the socket's number among the files of this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the run, which ends the driver
    with Connection(socket) as run, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        begin: Begin = run.recv()
        try:
            _connect(begin.address)
        except Exception as error:  # noqa: BLE001 - Ray raises many kinds
            run.send(CannotGoOn(printable(" ".join(str(error).split()))))
            return
        _serve(Fleet(begin.part, run.send), run)
    ray.shutdown()


def _connect(address: str) -> None:
    own = {"include_dashboard": False, "object_store_memory": _STORE} if address == LOCAL else {}
    ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)


def _serve(fleet: Fleet, run: Connection) -> None:
    """Pass messages on until the run closes its end, which raises EOFError."""
    while True:
        while run.poll():
            fleet.take(run.recv())
        fleet.step(_PATIENCE)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
    os._exit(0)  # nothing of Ray's own may hold the process
