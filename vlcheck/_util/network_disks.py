"""Network disks: files on them have no memory that processes of several machines share."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_KINDS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "ceph", "lustre", "gpfs", "beegfs"),
        *("pvfs2", "orangefs", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.gcsfuse"),
        *("fuse.rclone", "fuse.juicefs", "fuse.moosefs", "fuse.mfs", "virtiofs"),
    }
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_disk(path: Path, mounts: str | None = None) -> str:
    """Return the kind of the network disk that a path is on, e.g. "nfs4"; "" for a local disk, or where it is unknown.

    Args:
        path: the path; it need not exist.
        mounts: the mounted disks, as Linux lists them; those of this process if None.
    """
    if mounts is None:
        mounts = _MOUNTS.read_text(errors="surrogateescape") if _MOUNTS.exists() else ""
    parts = Path(os.path.realpath(path)).parts
    found = [line.split() for line in mounts.splitlines()]
    above = [(Path(_plain(place)).parts, kind) for _, place, kind, *_ in found]
    _, kind = max(
        ((at, kind) for at, kind in above if parts[: len(at)] == at), key=lambda one: len(one[0]), default=((), "")
    )
    return kind if kind in _KINDS else ""


def _plain(place: str) -> str:
    """Return the path of a mounted disk, in whose listing a blank is written as its octal number."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), place)
