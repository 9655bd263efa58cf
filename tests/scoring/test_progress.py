"""The progress of a run is one count, however many plans it has."""

from vlcheck.scoring.progress import Progress, RunningCount


def counts(*plans):
    """The running count for the progress of some plans, each as (total, done, done ...)."""
    count = RunningCount()
    steps = [Progress(done, total, 1.0, 0.5) for total, *dones in plans for done in dones]
    return [(one.done, one.total) for one in map(count, steps)]


def test_pictures_are_counted_on_from_plan_to_plan():
    assert counts((349, 16, 349), (647, 300, 647), (86, 86), (86, 86)) == [
        (16, 349), (349, 349), (649, 996), (996, 996), (1082, 1082), (1168, 1168),
    ]  # fmt: skip


def test_a_plan_that_ended_early_counts_what_was_done():
    assert counts((40, 16), (24, 8, 24)) == [(16, 40), (24, 40), (40, 40)]
    assert counts((40, 16), (40, 8)) == [(16, 40), (24, 56)]


def test_the_time_is_that_since_the_first_plan_and_the_time_left_that_of_the_plan():
    count = RunningCount()
    count(Progress(5, 5, 100.0, 0.0))
    last = count(Progress(1, 2, 1.0, 7.0))
    assert 100 <= last.seconds < 200
    assert last.left == 7.0
