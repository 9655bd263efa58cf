"""A message names a parameter as its reader knows it."""

import pickle

from vlcheck._util.option_names import option_of
from vlcheck.errors import UsageError, argument, parameter, spelled

WRONG = UsageError(f"{argument('dtype', 'x')}: no such dtype.", f"Leave {parameter('trust_remote_code')} out.")


def test_a_parameter_is_spelled_as_python_or_as_an_option():
    assert str(WRONG) == "dtype=x: no such dtype.\nLeave trust_remote_code out."
    assert WRONG.with_options(option_of) == "--vl-dtype x: no such dtype.\nLeave --vl-trust-remote-code out."


def test_a_quoted_message_keeps_its_parameters():
    outer = UsageError(f"{argument('model', 'm')}: {WRONG.marked.splitlines()[0]}")
    assert str(outer) == "model=m: dtype=x: no such dtype."
    assert outer.with_options(option_of) == "--vl-model m: --vl-dtype x: no such dtype."


def test_foreign_text_beside_a_parameter_is_harmless():
    said = UsageError(f"\x1b[31m{argument('store', chr(27) + ' ::error::')}\ue000nothing")
    assert str(said) == "\\x1b[31mstore=\\x1b : :error::\\ue000nothing"


def test_processes_pass_it_on():
    assert str(pickle.loads(pickle.dumps(WRONG))) == str(WRONG)
    assert spelled("plain") == "plain"
