from __future__ import annotations

import re
import socket

import pytest

from vlcheck.errors import UsageError
from vlcheck.scoring.engines.ray.address import resolved


def test_without_an_address_the_cluster_is_this_machine():
    assert resolved("", {}) == "local"
    assert resolved("local", {"RAY_ADDRESS": "head:6379"}) == "local"
    assert resolved("auto", {}) == "auto"


def test_an_address_is_accepted_where_something_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert resolved(address, {}) == address
        assert resolved("", {"RAY_ADDRESS": address}) == address


@pytest.mark.parametrize(
    ("said", "environment", "message"),
    [
        ("head", {}, "engine='ray:head': is no address of a cluster. Accepted: HOST:PORT"),
        ("ray://head:10001", {}, "engine='ray:ray://head:10001': a run has to be on a node of the cluster. Accepted:"),
        ("127.0.0.1:1", {}, "engine='ray:127.0.0.1:1': no cluster answers there ([Errno 111] Connection refused)."),
        ("127.0.0.1:99999", {}, "engine='ray:127.0.0.1:99999': no cluster answers there"),
        ("a..b:6379", {}, "engine='ray:a..b:6379': no cluster answers there (encoding with 'idna' codec failed"),
        (f"{'a' * 70}:1", {}, f"engine='ray:{'a' * 70}:1': no cluster answers there"),
        ("", {"RAY_ADDRESS": "http://head:8265"}, "RAY_ADDRESS http://head:8265: a run has to be on a node"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(said, environment, message):
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        resolved(said, environment)
