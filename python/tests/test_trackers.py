"""Searches in TensorBoard and Weights & Biases, without a server; and a tracker of one's own."""

import json
import pathlib

import pytest

import exarch
from exarch import tracking


class Remembers(tracking.Tracker):
    """Everything that it is told."""

    def __init__(self):
        self.parameters, self.rows, self.kept, self.status = {}, [], {}, None

    def start(self, parameters):
        self.parameters = parameters

    def metric(self, name, value, step):
        self.rows.append((name, value, step))

    def files(self, paths):
        self.kept = {pathlib.Path(path).name: pathlib.Path(path).read_bytes() for path in paths}

    def end(self, status):
        self.status = status


def column(tracker, name):
    return [value for metric, value, _ in tracker.rows if metric == name]


def test_a_tracker_of_ones_own(small_problem, tmp_path):
    live, imported = Remembers(), Remembers()
    report = tracking.log_search(exarch.Search(small_problem, "ga", population=16), 5, tmp_path / "run.db", tracker=live)
    assert live.status == "FINISHED" and live.parameters["agent"] == "ga"
    assert column(live, "evaluations") == [16, 32, 48, 64, 80] and column(live, "best")[-1] == report.best[0].values[0]
    assert set(live.kept) == {"best.json", "report.html", "run.db"}
    assert json.loads(live.kept["best.json"])["design"] == report.best[0].design
    tracking.log_store(tmp_path / "run.db", tracker=imported)
    assert column(imported, "best_cost") == column(live, "best")


def test_failures_and_ctrl_c(small_problem):
    failed, killed = Remembers(), Remembers()
    with pytest.raises(exarch.UsageError):
        tracking.log_search(exarch.Search(small_problem, "gaa"), 5, tracker=failed)
    assert failed.status == "FAILED"

    def stop(*unused):
        raise KeyboardInterrupt

    killed.metric = stop
    with pytest.raises(KeyboardInterrupt):
        tracking.log_search(exarch.Search(small_problem, "ga", population=16), 5, tracker=killed)
    assert killed.status == "KILLED"


def test_tensorboard(small_problem, tmp_path):
    pytest.importorskip("tensorboardX")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    report = tracking.log_search(exarch.Search(small_problem, "ga", population=16), 5, tracker=tracking.TensorBoard(tmp_path / "logs"))
    events = accumulator.EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    assert [event.step for event in events.Scalars("best")] == [1, 2, 3, 4, 5]
    assert events.Scalars("best")[-1].value == pytest.approx(report.best[0].values[0], rel=1e-6)
    assert [event.value for event in events.Scalars("evaluations")] == [16, 32, 48, 64, 80]
    texts = {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in events.Tags()["tensors"]}
    assert "| agent | ga |" in texts["parameters/text_summary"] and "FINISHED" in texts["status/text_summary"]
    assert report.best[0].design["PagePolicy"] in texts["best/text_summary"]


def test_wandb_offline(small_problem, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")

    class Seen(tracking.Wandb):  # a run's summary is gone when it has ended
        def files(self, paths):
            super().files(paths)
            self.summary, self.config = dict(self.run.summary), dict(self.run.config)

    tracker = Seen(project="test", mode="offline", dir=str(tmp_path))
    report = tracking.log_search(exarch.Search(small_problem, "ga", population=16), 5, tmp_path / "run.db", tracker=tracker)
    assert tracker.summary["evaluations"] == 80 and tracker.summary["best"] == report.best[0].values[0]
    assert tracker.config["agent"] == "ga" and tracker.config["trace"] == "cloud-1"
    # The rows of the run are in this file, until `wandb sync` sends them.
    assert [path.stat().st_size > 0 for path in tmp_path.glob("wandb/offline-run-*/*.wandb")] == [True]
