"""The engine `ray` on real clusters: one core a node, two nodes on this machine."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from tests.scoring.counting import CountingModel, album, photograph, questions
from tests.scoring.ray.clusters import PATIENCE, Deadly, Other, Slow, cluster_of, kill, loads_once, unloadable
from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.errors import UsageError
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.registry import open_engine
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

pytest.importorskip("ray", reason="needs the package ray, of the extra ray")

from vlcheck.scoring.engines.ray.engine import ClusterWarning

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(2) as cluster:
        yield cluster


@pytest.fixture
def engine(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    engine = open_engine(f"ray:{cluster.address}", tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def own_engine(tmp_path, monkeypatch):
    """A cluster that a test may destroy, and its engine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")
    with cluster_of(2) as cluster:
        engine = open_engine(f"ray:{cluster.address}", tmp_path)
        yield cluster, engine
        engine.close()


@pytest.fixture
def kept(tmp_path):
    with ScoreStore(tmp_path / "scores.db", CountingModel.fingerprint) as store:
        yield store


def asking(model: CountingModel, store: ScoreStore) -> CachedScorer:
    return CachedScorer(Scorer(model, load=partial(type(model), model.journal)), store)


def warmed(engine, scorer: CachedScorer, folder: Path, copies: int = 2) -> None:
    """Ask until all copies have answered something."""
    deadline, seeds = time.monotonic() + PATIENCE, count(1000)
    model = scorer.scorer.model
    while not (model.journal.exists() and len(model.workers()) == copies):
        assert time.monotonic() < deadline, "a copy never answered"
        pictures = [photograph(folder, next(seeds)) for _ in range(4)]
        engine.run(make_plan([query for one in pictures for query in questions(one)], batch_size=1), scorer)


def queries_of(plan: Plan) -> list:
    return [query for chunk in plan.chunks for query in chunk.queries]


def plan_of(folder: Path, n: int, batch_size: int = 2) -> Plan:
    return make_plan(album(folder, n), batch_size=batch_size)


def test_two_nodes_answer_what_one_process_answers(engine, tmp_path, kept):
    plan, model, seen = plan_of(tmp_path, 20), Slow(tmp_path / "journal"), []
    scorer = asking(model, kept)

    warmed(engine, scorer, tmp_path)
    engine.run(plan, scorer, seen.append)

    with ScoreStore(tmp_path / "alone.db", CountingModel.fingerprint) as alone:
        CachedScorer(Scorer(CountingModel(tmp_path / "alone")), alone).run(plan)
        assert kept.get_many(queries_of(plan)) == alone.get_many(queries_of(plan))
        pictures = [picture.key for chunk in plan.chunks for picture in chunk.pictures]
        assert [kept.pictures(key) for key in pictures] == [alone.pictures(key) for key in pictures]
    assert len(model.workers()) == 2
    assert str(os.getpid()) not in model.workers()
    assert {*model.asked("encode").values()} == {1}
    assert (seen[-1].done, seen[-1].total) == (plan.n_pictures, plan.n_pictures)


def test_scores_of_a_network_are_those_of_this_process(engine, tmp_path):
    model = load_model("tiny")
    pictures = [photograph(tmp_path, seed, size=(96, 96)) for seed in range(12)]
    texts = ("a red ball", "a blue ball"), ("a [MASK] ball", "a [MASK] cube")
    queries = [Query("itm", picture, text) for picture in pictures for text in texts[0]]
    queries += [Query("mlm", picture, text, ("red", "blue")) for picture in pictures for text in texts[1]]
    plan = make_plan(queries, batch_size=4)

    def answers(name: str, run) -> dict:
        with ScoreStore(tmp_path / name, model.fingerprint) as store:
            run(plan, CachedScorer(Scorer(model, batch_size=4, load=partial(load_model, "tiny")), store))
            return store.get_many(queries_of(plan))

    found, alone = answers("ray.db", engine.run), answers("alone.db", open_engine("alone", tmp_path).run)

    assert found.keys() == alone.keys() == {query.key for query in queries_of(plan)}
    for key, answer in alone.items():
        assert answer.error == ""
        assert found[key].values == pytest.approx(answer.values, abs=1e-5)


def test_a_later_round_asks_the_copies_that_are_there_and_what_is_kept_is_not_asked(engine, tmp_path, kept):
    model = Slow(tmp_path / "journal")
    first, both = plan_of(tmp_path, 4), plan_of(tmp_path, 8)

    warmed(engine, asking(model, kept), tmp_path)
    before = model.workers()
    engine.run(first, asking(model, kept))
    engine.run(both, asking(model, kept))

    assert model.workers() == before
    assert {*model.asked("encode").values()} == {1}
    assert kept.missing(query.key for query in queries_of(both)) == set()


def test_one_engine_asks_several_models(engine, tmp_path, kept):
    plan, model, other = plan_of(tmp_path, 4), Slow(tmp_path / "journal"), Other(tmp_path / "other")

    with ScoreStore(tmp_path / "others.db", Other.fingerprint) as others:
        engine.run(plan, asking(model, kept))
        engine.run(plan, asking(other, others))
        assert others.missing(query.key for query in queries_of(plan)) == set()

    assert other.workers() <= model.workers()


def test_pictures_that_nodes_do_not_see_are_sent(engine, tmp_path, kept):
    """A file that this process holds open has a name in /proc that no other process can use."""
    path, model = photograph(tmp_path, 1).source.path, Slow(tmp_path / "journal")
    with path.open("rb") as held:
        picture = Picture(ImageFile(Path(f"/proc/self/fd/{held.fileno()}")))
        plan = make_plan([*questions(picture), *album(tmp_path, 3)], batch_size=2)

        engine.run(plan, asking(model, kept))

        answers = kept.get_many(queries_of(plan))
    assert {answer.error for answer in answers.values()} == {""}
    assert len(answers) == len(queries_of(plan))


def test_large_questions_and_answers_pass_each_other(engine, tmp_path, kept):
    """Pictures of noise that nodes do not see: megabytes there, and their small copies back at the same time."""
    names, draws = [tmp_path / f"{number}.png" for number in range(96)], Random(0)
    for path in names:
        Image.frombytes("RGB", (400, 300), draws.randbytes(400 * 300 * 3)).save(path)
    with ExitStack() as held:
        files = [held.enter_context(path.open("rb")) for path in names]
        pictures = [Picture(ImageFile(Path(f"/proc/self/fd/{file.fileno()}"))) for file in files]
        plan = make_plan([query for one in pictures for query in questions(one)], batch_size=16)
        engine.run(plan, asking(CountingModel(tmp_path / "journal"), kept))
    assert kept.missing(query.key for query in queries_of(plan)) == set()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (unloadable, r"on node \S+: RuntimeError: these weights are for another network \(tests/scoring/ray"),
        (partial(Other, Path("journal")), r"on node \S+: it loads another model: the weights or the code differ"),
    ],
)
def test_a_model_that_nodes_cannot_load_is_one_error_in_one_line(engine, tmp_path, kept, load, message):
    scorer = CachedScorer(Scorer(CountingModel(tmp_path / "journal"), load=load), kept)

    with pytest.raises(UsageError, match=rf"^engine='ray:[\d.:]+': {message}") as raised:
        engine.run(plan_of(tmp_path, 2), scorer)

    assert len(str(raised.value).splitlines()) == 1


def test_nodes_with_other_versions_are_refused(engine, tmp_path):
    versions = {"torch": "1.0"}
    with ScoreStore(tmp_path / "old.db", CountingModel.fingerprint, versions=versions) as store:
        model = CountingModel(tmp_path / "journal")
        with pytest.raises(UsageError, match=r"its versions are not those of the run: torch 1\.0 in the run, 2"):
            engine.run(plan_of(tmp_path, 2), asking(model, store))


def test_a_model_that_cannot_be_pickled_is_refused(engine, tmp_path, kept):
    model = CountingModel(tmp_path / "journal")
    model.lock = threading.Lock()

    with pytest.raises(UsageError, match=r"^engine=ray: the model counting cannot be sent .* cannot pickle '_thread"):
        engine.run(plan_of(tmp_path, 2), CachedScorer(Scorer(model), kept))


def test_a_chunk_that_ends_its_copies_is_given_up_and_the_others_are_answered(engine, tmp_path, kept):
    deadly = photograph(tmp_path, 99, size=(40, 40))
    plan = make_plan([*questions(deadly), *album(tmp_path, 5)], batch_size=1)

    engine.run(plan, asking(Deadly(tmp_path / "journal"), kept))

    answers = kept.get_many(queries_of(plan))
    errors = {query.picture == deadly: answers[query.key].error for query in queries_of(plan)}
    assert errors[True].startswith("3 copies of the model were lost, the last because its process ended: it crashed")
    assert {answer.error for answer in answers.values()} == {errors[True], ""}
    assert errors[False] == ""


def test_a_node_that_is_killed_costs_no_answer(own_engine, tmp_path, kept):
    cluster, engine = own_engine
    plan, seen = plan_of(tmp_path, 30), []
    scorer = asking(Slow(tmp_path / "journal"), kept)

    def kill_one(progress) -> None:
        seen.append(progress)
        if len(seen) == 5:
            kill(cluster.list_all_nodes()[1])

    warmed(engine, scorer, tmp_path)
    engine.run(plan, scorer, kill_one)

    answers = kept.get_many(queries_of(plan))
    assert len(answers) == len(queries_of(plan))
    assert {answer.error for answer in answers.values()} == {""}
    assert seen[-1].done == plan.n_pictures


def test_a_node_on_which_no_copy_starts_is_left_out_and_the_others_answer(engine, tmp_path, kept, recwarn):
    model, plan = Slow(tmp_path / "journal"), plan_of(tmp_path, 200)
    scorer = CachedScorer(Scorer(model, load=partial(loads_once, model.journal)), kept)

    engine.run(plan, scorer)

    (said,) = [str(one.message) for one in recwarn if issubclass(one.category, ClusterWarning)]
    assert re.search(r"node \S+ is left out: no copy of the model could be started in 3 tries$", said)
    assert len(model.workers()) == 1
    assert kept.missing(query.key for query in queries_of(plan)) == set()


def test_a_node_that_joins_is_used(own_engine, tmp_path, kept):
    cluster, engine = own_engine
    plan, model, seen = plan_of(tmp_path, 60), Slow(tmp_path / "journal"), []

    def add_one(progress) -> None:
        seen.append(progress)
        if len(seen) == 3:
            cluster.add_node(num_cpus=1, object_store_memory=80_000_000)

    engine.run(plan, asking(model, kept), add_one)
    warmed(engine, asking(model, kept), tmp_path, copies=3)

    assert kept.missing(query.key for query in queries_of(plan)) == set()
    assert len(model.workers()) == 3


def test_a_cluster_that_goes_away_is_said_and_what_was_answered_stays(own_engine, tmp_path, kept):
    cluster, engine = own_engine
    plan, seen = plan_of(tmp_path, 60), []

    def kill_all(progress) -> None:
        seen.append(progress)
        if len(seen) == 5:
            for node in reversed(cluster.list_all_nodes()):
                kill(node)

    with pytest.raises(UsageError, match=r"^engine='ray:[\d.:]+': the cluster went away.* store names a file\.$"):
        engine.run(plan, asking(Slow(tmp_path / "journal"), kept), kill_all)

    answered = len(queries_of(plan)) - len(kept.missing(query.key for query in queries_of(plan)))
    assert answered >= sum(len(chunk.queries) for chunk in plan.chunks[:5]) * 0.5


def test_an_address_at_which_something_else_answers_is_said(tmp_path, kept, monkeypatch):
    """It takes connections, and says nothing."""
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        engine = open_engine(f"ray:127.0.0.1:{other.getsockname()[1]}", tmp_path)
        said = r"^engine='ray:[\d.:]+': no cluster of Ray could be reached: Failed to connect .* Accepted: HOST:PORT"
        with pytest.raises(UsageError, match=said):
            engine.run(plan_of(tmp_path, 2), asking(CountingModel(tmp_path / "journal"), kept))
