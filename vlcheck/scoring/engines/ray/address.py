"""The address of a Ray cluster."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from vlcheck.errors import UsageError, argument

LOCAL, AUTO = "local", "auto"  # a cluster of this machine alone, which ends with the run; one that runs here already
ACCEPTED = f"HOST:PORT of a cluster's head, {AUTO} for the cluster that this machine is in, or {LOCAL}"
_SECONDS = 5.0


def resolved(said: str, environment: Mapping[str, str]) -> str:
    """Return the address of a cluster, as `ray.init` takes it.

    Args:
        said: the address that was said; "" for that of RAY_ADDRESS, or LOCAL if that names none.
        environment: environment variables.

    Raises:
        UsageError: it is no address, or nothing answers there.
    """
    address = said or environment.get("RAY_ADDRESS", "") or LOCAL
    named = argument("engine", repr(f"ray:{said}")) if said else f"RAY_ADDRESS {address}"
    if address in (LOCAL, AUTO):
        return address
    if "://" in address:
        raise UsageError(f"{named}: a run has to be on a node of the cluster. Accepted: {ACCEPTED}.")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"{named}: is no address of a cluster. Accepted: {ACCEPTED}.")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, OverflowError, ValueError) as error:  # a ValueError if it can be no name of a host
        raise UsageError(f"{named}: no cluster answers there ({error}). Accepted: {ACCEPTED}.") from error
    return address
