"""Engines by name: those of vlcheck keep one contract, and a wrong name is answered with the nearest."""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from tests.scoring.counting import CountingModel, photograph, questions
from vlcheck.errors import UsageError
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines import registry
from vlcheck.scoring.engines.alone import Alone
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.local import Local
from vlcheck.scoring.engines.registry import demand_shared, open_engine, registered_engines
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore


class Halting:
    """An engine that answers nothing, and at the address "raise" raises."""

    shared = True

    def __init__(self, address: str) -> None:
        self.address = address

    def run(self, plan, scorer, progress=None):
        if self.address == "raise":
            raise ConnectionError("reset by peer")

    def close(self):
        if self.address == "raise":
            raise OSError("cannot end")


def make_halting(*, address: str) -> Halting:
    return Halting(address)


def make_nothing() -> object:
    return object()


def make_failing() -> Engine:
    raise RuntimeError("no cluster here")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the engines of this file as a package does."""
    found = [EntryPoint(name, f"{__name__}:make_{name}", registry.GROUP) for name in ("halting", "nothing", "failing")]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


@pytest.mark.parametrize(("name", "kind", "shared"), [("alone", Alone, False), ("local", Local, True)])
def test_an_engine_answers_every_query_once(tmp_path, counting, name, kind, shared):
    queries = [query for seed in range(3) for query in questions(photograph(tmp_path, seed))]
    engine, seen = open_engine(name, tmp_path / "leases"), []

    with ScoreStore(tmp_path / "scores.db", CountingModel.fingerprint) as store:
        for _ in range(2):
            engine.run(make_plan(queries, batch_size=2), CachedScorer(Scorer(counting), store), seen.append)
        engine.close()
        assert store.missing(query.key for query in queries) == set()

    assert isinstance(engine, kind)
    assert engine.shared is shared
    assert sum(progress.done == progress.total == 3 for progress in seen) == 1  # nothing is shown of the second run
    assert {*counting.asked("encode").values(), *counting.asked("itm").values(), *counting.asked("mlm").values()} == {1}


def test_the_shipped_engines_are_registered():
    assert {entry.name: entry.value for entry in entry_points(group=registry.GROUP)} == {
        name: entry.value for name, entry in registered_engines().items()
    }


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("locaal", "engine='locaal': no such engine. Did you mean 'local'?"),
        ("", "engine='': no such engine. Known: alone, failing, halting, local, nothing"),
        ("local:host", "engine='local:host': local takes no address; say local."),
        ("nothing", "engine='nothing': gave 'object'; it has to have run, close and shared."),
        ("failing", "engine='failing': cannot be made. RuntimeError: no cluster here"),
    ],
)
def test_a_spec_that_names_no_engine_says_what_would(registered, said, message):
    with pytest.raises(UsageError) as raised:
        open_engine(said, Path())
    assert str(raised.value).startswith(message)


def test_a_package_may_register_an_engine_with_an_address(registered):
    assert open_engine("halting:ray://head:10001", Path()).engine.address == "ray://head:10001"
    assert open_engine("halting", Path()).engine.address == ""


def test_what_the_engine_of_a_package_raises_names_the_engine(registered, tmp_path, counting):
    engine = open_engine("halting:raise", tmp_path)
    with ScoreStore(tmp_path / "scores.db", CountingModel.fingerprint) as store, pytest.raises(UsageError) as raised:
        engine.run(make_plan([], batch_size=2), CachedScorer(Scorer(counting), store))
    assert str(raised.value).startswith("engine='halting:raise': ConnectionError: reset by peer")
    with pytest.warns(UserWarning, match="^engine 'halting:raise': could not be ended. OSError: cannot end"):
        engine.close()


def test_several_processes_share_plans_only_with_an_engine_that_can():
    demand_shared(Local(Path()), "local", 2)
    demand_shared(Alone(), "alone", 1)
    with pytest.raises(UsageError, match=r"^engine='alone': does not go with 2 processes"):
        demand_shared(Alone(), "alone", 2)
