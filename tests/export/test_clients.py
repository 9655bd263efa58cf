"""Libraries of trackers that are not there, and their errors."""

import importlib
import os

import pytest

from vlcheck.errors import UsageError
from vlcheck.export.clients import client_library, defaults, plain_errors


def test_a_library_that_is_not_installed_is_named_with_its_extra():
    with pytest.raises(UsageError) as error:
        client_library("no_such_tracker")
    assert str(error.value) == (
        "export no_such_tracker: needs the package no_such_tracker, of the extra no_such_tracker: python -m pip install"
        ' "vlcheck[no_such_tracker]".'
    )


def test_a_library_that_is_broken_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_tracker.py").write_text("import nowhere_to_be_found")
    importlib.invalidate_caches()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"is installed and cannot be imported \(ModuleNotFoundError: No module named"):
        client_library("broken_tracker")


@pytest.mark.parametrize("error", [OSError("no route"), ValueError("\n\nno route\nmore"), RuntimeError("no route")])
def test_any_error_says_that_nothing_is_lost(error):
    with pytest.raises(UsageError) as told, plain_errors("mlflow", "http://there", "r.jsonl", "Or wait."):
        raise error
    assert str(told.value) == (
        f"export mlflow: the run could not be kept in http://there ({type(error).__name__}: no route). Nothing is lost:"
        " r.jsonl is unchanged, and the same command tries again. Or wait."
    )


def test_a_password_in_an_address_is_not_shown():
    with pytest.raises(UsageError) as told, plain_errors("mlflow", "https://me:s3cret@there/x", "r.jsonl"):
        raise OSError("cannot reach https://me:s3cret@there/x")
    assert "s3cret" not in str(told.value)
    assert "https://***@there/x" in str(told.value)


def test_a_usage_error_stays_as_it_is():
    with pytest.raises(UsageError, match=r"^a word$"), plain_errors("mlflow", "", ""):
        raise UsageError("a word")


def test_defaults_are_gone_afterwards_and_replace_nothing(monkeypatch):
    monkeypatch.setenv("VLCHECK_ONE", "mine")
    monkeypatch.delenv("VLCHECK_TWO", raising=False)
    with defaults({"VLCHECK_ONE": "1", "VLCHECK_TWO": "2"}):
        assert (os.environ["VLCHECK_ONE"], os.environ["VLCHECK_TWO"]) == ("mine", "2")
    assert (os.environ["VLCHECK_ONE"], "VLCHECK_TWO" in os.environ) == ("mine", False)
