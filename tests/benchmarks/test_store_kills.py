from benchmarks.store_kills import KINDS, kill_many


def test_what_a_killed_process_reported_as_kept_is_there_and_right():
    """One kill of each kind; `python -m benchmarks.store_kills --kills 200` has 50 of each."""
    assert list(kill_many(len(KINDS), seed=1)) == []
