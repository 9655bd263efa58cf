"""What a served model is known by, and that it is found out if it becomes another one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from vlcheck.errors import UsageError
from vlcheck.models.served.probe import Probed
from vlcheck.models.served.register import known_as
from vlcheck.models.served.replies import TokenList


def test_the_fingerprint_is_the_same_for_the_same_model_and_no_other(open_served, server):
    first, again = open_served().fingerprint, open_served(concurrency="3").fingerprint
    others = set()
    for faults in ({"seed": 1}, {"version": "2.0"}, {"prompts": False}):
        server.faults(**faults)
        others.add(open_served().fingerprint)
    assert first == again
    assert len(others | {first}) == 4


def test_the_fingerprint_does_not_follow_the_noise_of_the_endpoint(open_served, server):
    server.faults(noise=0.005)
    models = [open_served() for _ in range(4)]
    assert len({model.fingerprint for model in models}) == 1
    assert all(0.0001 < model.noise < 0.1 for model in models)
    assert models[0].changed() == ""


def test_noise_does_not_hide_another_model(open_served, server):
    server.faults(noise=0.005)
    model = open_served()
    server.faults(noise=0.005, seed=1)
    assert "it is another model" in model.changed()
    assert open_served().fingerprint != model.fingerprint


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"noise": 2.0}, "one model cannot be told from another"),
        ({"noise": 1e-6, "drop": True}, "does not see the picture"),
    ],
)
def test_noise_is_no_sight_and_has_a_limit(open_served, server, faults, why):
    server.faults(**faults)
    with pytest.raises(UsageError, match=why):
        open_served()


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"seed": 1}, "differ by .* it is another model"),
        (
            {"version": "2.0"},
            "the model is not the one .* has changed during the run: the server was 'small 1.0' and is 'small 2.0'",
        ),
        ({"served": ["org/other"]}, "it could not be checked that .* serves no 'org/small-vlm'"),
        ({"status": 401, "times": -1}, "it could not be checked that the model is still the one of the start"),
    ],
)
def test_a_change_during_the_run_is_said(open_served, server, faults, why):
    model = open_served()
    assert model.changed() == ""
    server.faults(**faults)
    found = model.changed()
    assert re.search(why, found), found


def test_a_noisy_endpoint_is_refused(open_served, server):
    server.faults(noise=2.0)
    with pytest.raises(UsageError, match=r"one model cannot be told from another\. Accepted: differences up to 0\.05"):
        open_served()


def test_of_two_probes_that_fit_the_nearest_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    near, far, now = (
        Probed((TokenList((("Yes", prob),)),), noise) for prob, noise in ((0.5, 0), (0.6, 0), (0.57, 0.05))
    )
    assert known_as("name", near) == near.key
    assert known_as("name", far) == far.key
    assert known_as("name", now) == far.key


def test_probes_are_kept_in_the_cache_and_a_damaged_file_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = tmp_path / "vlcheck" / "served" / "name.json"
    first = Probed((TokenList((("Yes", 0.5),)),), 0.01)
    near, far = (Probed((TokenList((("Yes", prob),)),), 0.01) for prob in (0.53, 0.6))

    assert known_as("name", first) == known_as("name", near) == first.key
    assert known_as("name", far) == far.key != first.key
    assert [*json.loads(kept.read_text())] == [first.key, far.key]
    kept.write_text("{")
    assert known_as("name", near) == near.key


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").exists(), reason="needs /proc, where nobody can write")
def test_without_a_cache_the_answers_alone_decide(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    probed = Probed((TokenList((("Yes", 0.5),)),), 0.0)
    assert known_as("name", probed) == probed.key
    assert Probed((TokenList((("Yes", 0.500001),)),), 0.0).key == probed.key
