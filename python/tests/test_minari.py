"""Stores as data sets of Minari."""

import numpy as np
import pytest

import exarch
from exarch import dataset


@pytest.fixture
def minari(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    pytest.importorskip("h5py")
    return pytest.importorskip("minari")


def test_a_search_as_episodes(minari, small_problem, tmp_path):
    exarch.Search(small_problem, "ga", population=16).run(3, tmp_path / "run.db")
    dataset.write_minari(tmp_path / "run.db", "exarch/ga-v0", author="a test")
    made = minari.load_dataset("exarch/ga-v0")
    assert made.total_episodes == 48 and made.storage.metadata["algorithm_name"] == "ga"
    frame = exarch.open_store(tmp_path / "run.db").to_pandas()
    names = [metric.name for metric in small_problem.environment.metrics]
    for i, episode in enumerate(made.iterate_episodes()):
        design = small_problem.space.designs(episode.actions)
        # The genes are the design, and the observation and the reward its results.
        assert exarch.evaluate("dram", design, workload="cloud-1")["total_time_ps"][0] == frame["total_time_ps"][i]
        assert np.array_equal(episode.observations[1], frame[names].iloc[i]) and not episode.observations[0].any()
        assert episode.rewards[0] == -frame["total_time_ps"][i] and episode.terminations[0] and not episode.truncations[0]
    assert dataset.write_minari(tmp_path / "run.db", "exarch/few-v0", limit=5).total_episodes == 5


def test_what_is_no_single_problem(minari, small_problem, tmp_path):
    both = exarch.Problem("dram", workload=["cloud-1", "stream"], space=small_problem.space)
    exarch.Sweep(both, sample=4).run(tmp_path / "sweep.db")
    with pytest.raises(exarch.UsageError, match="cloud-1, stream"):
        dataset.write_minari(tmp_path / "sweep.db", "exarch/none-v0")
