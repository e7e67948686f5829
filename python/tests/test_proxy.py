"""Proxies against the whole space."""

import sys

import numpy as np
import pytest

import exarch
from exarch._logged import GRIDS, logged
from exarch.studies import proxy

SPACE = {"PagePolicy": ["Open", "Closed"], "Scheduler": ["Fifo", "FrFcfs"], "RequestBufferSize": [1, 4],
         "MaxActiveTransactions": [1, 8, 128], "Arbiter": ["Simple", "Fifo", "Reorder"]}


@pytest.fixture
def needs_sklearn():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pytest.importorskip("pandas", reason="pandas is not installed")


def test_a_proxy_that_saw_everything_is_nearly_right(needs_sklearn, tmp_path):
    lines = []
    frame = proxy.study("cloud-1", space=SPACE, sizes=[10, 1000], mixes=["RW"], learners=["forest"], threads=1,
                        truth=tmp_path / "truth.db", said=lines.append)
    few, many = frame.to_dict("records")
    assert many["different"] == 72 and many["known_pct"] == 100
    assert many["space_rmse_mean_pct"] < 1 < few["space_rmse_mean_pct"]
    assert many["space_rank"] > 0.99 and many["pick100_regret_pct"] == 0 == many["log_regret_pct"]
    assert few["log_regret_pct"] >= 0 and len(lines) == 2
    again = proxy.study("cloud-1", space=SPACE, sizes=[10], mixes=["RW"], learners=["forest"], threads=1, truth=tmp_path / "truth.db")
    measured = ["fit_s", "predict_us"]
    assert again.drop(columns=measured).iloc[0].to_dict() == frame.drop(columns=measured).iloc[0].to_dict()


def test_mixes_and_learners(needs_sklearn):
    frame = proxy.study("cloud-1", space=SPACE, sizes=[200], threads=1)
    assert list(zip(frame["mix"], frame["learner"])) == [(mix, learner) for mix in ("diverse", "ACO") for learner in proxy.LEARNERS]
    assert np.isfinite(frame.select_dtypes("number").to_numpy()).all()


def test_errors_and_picks(needs_sklearn, small_problem, tmp_path):
    measured = proxy.errors(np.array([1.0, 2.0, 5.0]), np.array([1.0, 2.0, 4.0]))
    assert measured["rmse_mean_pct"] == pytest.approx(100 * np.sqrt(1 / 3) / (7 / 3))
    assert measured["rmse_range_pct"] == pytest.approx(100 * np.sqrt(1 / 3) / 3)
    assert measured["worst_pct"] == 25 and measured["rank"] == pytest.approx(1)
    assert np.isnan(proxy.errors(np.ones(3), np.arange(3.0))["rank"])
    assert np.isnan(proxy.errors(np.arange(3.0), np.ones(3))["rmse_range_pct"])
    truth = exarch.Truth.make(small_problem, tmp_path / "truth.db")
    costs = truth.costs()
    assert proxy.picked(costs, truth, costs) == (0, 0)
    worst, all_of_them = proxy.picked(-costs, truth, costs)
    assert worst == pytest.approx(100 * (costs.max() / costs.min() - 1)) and all_of_them == 0


def test_labels_are_one_hot():
    space = exarch.Problem("dram", workload="cloud-1", space={**SPACE, "RespQueue": ["Fifo"]}).space
    features = proxy.encode(space, space.designs(space.genes([0, space.size - 1])))
    assert features.shape == (2, 2 + 2 + 1 + 3 + 1)
    assert features[0].tolist() == [1, 0, 1, 0, 1, 1, 0, 0, 1] and features[1].tolist() == [0, 1, 0, 1, 4, 0, 0, 1, 128]


def test_logs_begin_alike():
    problems = [exarch.Problem("dram", "cloud-1", SPACE, reward) for reward in proxy.REWARDS]
    evaluator = exarch.Evaluator("dram", "cloud-1")
    for agent in GRIDS:
        few, many = ([row for batch in logged(problems, evaluator, agent, rows, seed=3) for row in batch.genes.tolist()]
                     for rows in (30, 90))
        assert len(few) == 30 and len(many) == 90 and many[:30] == few


def test_speed(needs_sklearn):
    frame = proxy.speed("cloud-1", space=SPACE, rows=100, batches=[1, 50], threads=1)
    assert list(frame["batch"]) == [1, 50] and (frame.drop(columns="different_runs") > 0).all(axis=None)


def test_the_command(needs_sklearn, monkeypatch, capsys, tmp_path):
    pandas = pytest.importorskip("pandas")
    monkeypatch.setattr(proxy, "study", lambda trace, **given: pandas.DataFrame([{"trace": trace, "rows": given["sizes"][0]}]))
    assert proxy.main(["--trace", "stream", "--sizes", "12", "--csv", str(tmp_path / "x.csv")]) == 0
    assert "stream    12" in capsys.readouterr().out and (tmp_path / "x.csv").exists()


def test_mistakes(needs_sklearn, capsys):
    with pytest.raises(exarch.UsageError, match="did you mean 'diverse'"):
        proxy.study(mixes=["divers"])
    with pytest.raises(exarch.UsageError, match="did you mean 'forest'"):
        proxy.study(learners=["florest"])
    assert proxy.main(["--sizes", "3"]) == 2
    assert "sizes = 3: expected a whole number from 10" in capsys.readouterr().err


def test_without_scikit_learn(monkeypatch, capsys):
    pytest.importorskip("pandas", reason="pandas is not installed")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert proxy.main([]) == 1
    assert "exarch.studies.proxy needs scikit-learn; install it: pip install scikit-learn" in capsys.readouterr().err


def test_pictures(needs_sklearn, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    frame = proxy.study("cloud-1", space=SPACE, sizes=[20, 200], mixes=["RW", "GA"], learners=["forest"], threads=1)
    frame.to_csv(tmp_path / "proxies.csv", index=False)
    assert proxy.main(["--from", str(tmp_path / "proxies.csv"), "--figure", str(tmp_path / "proxies.svg")]) == 0
    drawn = (tmp_path / "proxies.svg").read_text()
    assert drawn.count(">RW<") == drawn.count(">GA<") == 1 and "rows trained on" in drawn
    # The same table gives the same picture.
    proxy.draw(frame, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn
    proxy.draw(proxy.speed("cloud-1", space=SPACE, rows=50, batches=[1, 10], threads=1), tmp_path / "speed.svg")
    assert "engine, again" in (tmp_path / "speed.svg").read_text()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert proxy.main(["--from", str(tmp_path / "other.csv"), "--figure", str(tmp_path / "x.svg")]) == 2
    assert "it lacks" in capsys.readouterr().err
    assert proxy.main(["--from", str(tmp_path / "none.csv")]) == 1
