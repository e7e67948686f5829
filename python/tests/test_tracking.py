"""Searches in MLflow: a server on this machine with its SQLite store, read back through its client."""

import json
import socket
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("mlflow.server")
import mlflow  # noqa: E402

import exarch  # noqa: E402
from exarch import tracking  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Its address, once it answers."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination",
               str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            for line in process.stderr:
                if "Application startup complete" in line:
                    break
            else:
                pytest.fail("the server did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def runs_of(server, experiment):
    client = mlflow.MlflowClient(tracking_uri=server)
    return client, client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


def test_a_search_is_logged_live_and_imported(server, small_problem, tmp_path):
    search = exarch.Search(small_problem, "ga", population=16, parameters={"mutation_rate": 0.2})
    report = tracking.mlflow_search(search, 5, tmp_path / "run.db", experiment="live", tracking_uri=server)
    assert report.best == exarch.Search(small_problem, "ga", population=16, parameters={"mutation_rate": 0.2}).run(5).best
    client, (run,) = runs_of(server, "live")
    assert run.info.status == "FINISHED"
    assert run.data.params["agent"] == "ga" and run.data.params["agent.mutation_rate"] == "0.2" and run.data.params["trace"] == "cloud-1"
    history = client.get_metric_history(run.info.run_id, "best")
    assert [point.step for point in history] == [1, 2, 3, 4, 5]
    assert history[-1].value == report.best[0].values[0]
    assert run.data.metrics["evaluations"] == 80
    artifacts = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"best.json", "report.html", "run.db"}
    path = client.download_artifacts(run.info.run_id, "best.json", str(tmp_path))
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["design"] == report.best[0].design
    tracking.mlflow_import(tmp_path / "run.db", experiment="imported", tracking_uri=server)
    _, (imported,) = runs_of(server, "imported")
    again = client.get_metric_history(imported.info.run_id, "best_cost")
    assert np.array_equal([point.value for point in again], [point.value for point in history])


def test_a_search_that_fails_is_logged_as_failed(server, small_problem):
    with pytest.raises(exarch.UsageError):
        tracking.mlflow_search(exarch.Search(small_problem, "gaa"), 5, experiment="failed", tracking_uri=server)
    _, (run,) = runs_of(server, "failed")
    assert run.info.status == "FAILED"
