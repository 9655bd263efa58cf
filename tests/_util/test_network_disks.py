from pathlib import Path

import pytest

from vlcheck._util.network_disks import network_disk

MOUNTS = r"""/dev/vda / ext4 rw 0 0
tmpfs /home/local tmpfs rw 0 0
server:/home /home nfs4 rw 0 0
//server/share /mnt/our\040share cifs rw 0 0
user@host: /mnt/remote fuse.sshfs rw 0 0
tmpfs /home/me/fast tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/scores.sqlite", "nfs4"),
        ("/home/me/fast/scores.sqlite", ""),
        ("/homes/scores.sqlite", ""),
        ("/mnt/our share/scores.sqlite", "cifs"),
        ("/mnt/remote/a/b/scores.sqlite", "fuse.sshfs"),
        ("/var/scores.sqlite", ""),
    ],
)
def test_the_kind_is_that_of_the_nearest_disk(path, kind):
    assert network_disk(Path(path), MOUNTS) == kind


def test_where_no_disks_are_listed_none_is_a_network_disk():
    assert network_disk(Path("/home/me"), "") == ""


def test_the_disks_of_this_process_are_read(tmp_path):
    assert isinstance(network_disk(tmp_path), str)
