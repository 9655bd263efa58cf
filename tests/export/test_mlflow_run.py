"""Runs kept in MLflow, by its own client, in a database of their own; a server that is not there."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_cli import run
from tests.report import pages
from vlcheck.results.file import write_results

pytestmark = [
    pytest.mark.nightly,  # importing the client and making its database takes ten seconds
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the client's own
]
mlflow = pytest.importorskip("mlflow", reason="needs vlcheck[mlflow]")
pytest.importorskip("sqlalchemy", reason="needs vlcheck[mlflow]")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The address of a database that MLflow makes when it is first asked."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'runs.db'}"


@pytest.fixture
def kept(database, tmp_path, monkeypatch):
    """Export a run; returns it as MLflow gives it back."""
    monkeypatch.chdir(tmp_path)  # MLflow puts artifacts of a database beside it

    def call(results, *options):
        path = tmp_path / "results.jsonl"
        write_results(path, results)
        done = run("export", "mlflow", path, f"--uri={database}", f"--experiment={tmp_path.name}", *options)
        assert done.returncode == 0, done.stderr
        client = mlflow.MlflowClient(database)
        experiment = client.get_experiment_by_name(tmp_path.name)
        (found,) = client.search_runs([experiment.experiment_id])
        assert f"mlflow: run {found.info.run_id} of the experiment {tmp_path.name}, in {database}" in done.stdout
        return found, lambda name: Path(client.download_artifacts(found.info.run_id, name)), done

    return call


def test_a_run_has_its_metrics_parameters_tags_page_and_tables_with_pictures(kept):
    found, artifact, _ = kept(pages.small(run={"exit_status": 1, "run_id": "7"}))
    assert (found.info.status, found.info.run_name) == ("FINISHED", "a-model")
    assert found.info.start_time == found.info.end_time == 1767323045000
    rates = {name: value for name, value in found.data.metrics.items() if name.endswith("violation_rate")}
    assert sorted(rates.values()) == [0.0, 0.666667]
    assert found.data.metrics["verdicts/fail"] == 1
    assert found.data.params["data"] == "scenes:6"
    assert (found.data.tags["vlcheck.conclusion"], found.data.tags["vlcheck.run_id"]) == ("fail", "7")
    assert found.data.tags["mlflow.note.content"].startswith("Fails 1 of 2 biases (color)")
    assert "Fails 1 of 2 biases (color)" in artifact("report.html").read_text(encoding="utf-8")
    assert json.loads(artifact("results.jsonl").read_text(encoding="utf-8").splitlines()[0])["run_id"] == "7"
    table = json.loads(artifact("evidence.json").read_text(encoding="utf-8"))
    first = dict(zip(table["columns"], table["data"][0], strict=True))
    assert (first["case"], first["margin"], first["status"]) == ("one", -0.3, "fail")
    with Image.open(artifact(first["pictures"]["filepath"])) as picture:
        assert picture.size == (260, 64)
    assert len(json.loads(artifact("verdicts.json").read_text(encoding="utf-8"))["data"]) == 4


def test_a_stopped_run_is_killed_and_one_of_another_version_says_so(kept):
    stopped = {"exit_status": 2, "unjudged": ["t.py::test_later[mlm]"], "versions": {"vlcheck": "0.0.9"}}
    found, _, done = kept(pages.small(run=stopped), "--worst=0")
    assert found.info.status == "KILLED"
    assert (found.data.tags["vlcheck.status"], found.data.tags["vlcheck.version"]) == ("stopped", "0.0.9")
    assert found.data.metrics["verdicts/without"] == 1
    assert "asked by vlcheck 0.0.9; this is" in done.stdout
    assert "the run was stopped: 4 verdicts, 1 test without one" in done.stdout


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "nonsense://x", "sqlite:////dev/null/runs.db"])
def test_a_store_that_cannot_be_reached_loses_nothing(tmp_path, uri, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results.jsonl"
    write_results(path, pages.small())
    before = path.read_bytes()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = run("export", "mlflow", path, f"--uri={uri}")
    assert done.returncode == 4
    assert done.stderr.startswith(f"Error: export mlflow: the run could not be kept in {uri} (")
    assert f"Nothing is lost: {path} is unchanged, and the same command tries again." in done.stderr
    assert path.read_bytes() == before


def test_a_run_of_which_a_part_could_not_be_kept_has_failed(database, tmp_path, monkeypatch):
    """The results file is gone when it is to become an artifact."""
    from vlcheck.export.mlflow_run import MlflowPlace, keep_in_mlflow
    from vlcheck.export.tracked import tracked_run

    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="gone"):
        keep_in_mlflow(
            mlflow, MlflowPlace(database, "partly"), tracked_run(pages.small(), "0.1.0"), {}, [tmp_path / "gone"]
        )
    client = mlflow.MlflowClient(database)
    (found,) = client.search_runs([client.get_experiment_by_name("partly").experiment_id])
    assert found.info.status == "FAILED"
