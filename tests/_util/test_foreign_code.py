"""Foreign code that leaves the one way it is given."""

import os
from contextlib import suppress

import pytest

from vlcheck._util.foreign_code import contained
from vlcheck.errors import ForeignFault


@pytest.mark.parametrize("raises", [False, True])
def test_a_process_that_foreign_code_forks_does_not_go_on_with_the_run(tmp_path, raises):
    process = os.getpid()
    with suppress(ForeignFault), contained():
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
        elif raises:
            raise SystemExit(0)
    if os.getpid() != process:
        os._exit(99)
    assert os.waitstatus_to_exitcode(status) == raises
