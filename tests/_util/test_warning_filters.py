"""Filters for warnings hold in a block, and those from before are there after it, whatever other threads do."""

import threading
import warnings

import pytest

from vlcheck._util.warning_filters import filtering


def test_a_filter_holds_in_its_block_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with filtering("ignore", UserWarning):
            warnings.warn("ignored", UserWarning, stacklevel=1)
            with pytest.raises(FutureWarning):
                warnings.warn("another one", FutureWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("after it", UserWarning, stacklevel=1)


@pytest.mark.filterwarnings("ignore:no error in this block")
@pytest.mark.parametrize("first_to_end", ["mine", "the other thread's"])
def test_filters_are_restored_once_no_thread_needs_others(first_to_end):
    begun, end, ended = threading.Event(), threading.Event(), threading.Event()

    def other():
        with filtering("ignore", UserWarning):
            begun.set()
            end.wait(10)
        ended.set()

    def end_the_other():
        end.set()
        assert ended.wait(10)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        threading.Thread(target=other).start()
        assert begun.wait(10)
        with filtering("default"):
            if first_to_end != "mine":
                end_the_other()
            warnings.warn("no error in this block", UserWarning, stacklevel=1)
        end_the_other()
        assert warnings.filters == before
