"""Cost models written in Python: everything works on them."""

import numpy as np
import pytest

import exarch


class Cache(exarch.Model):
    """A cache, as a formula."""

    parameters = {"ways": [1, 2, 4, 8], "size_kb": range(16, 257, 16), "policy": ["lru", "random"]}
    metrics = {"time_ns": "ns", "area_mm2": "mm2"}
    objectives = {"time": "min:time_ns", "both": "min:time_ns*area_mm2"}
    workloads = ["default", "hot"]
    tradeoffs = ["time_ns", "area_mm2"]

    def evaluate(self, designs, workload):
        misses = 1 / np.sqrt(designs["size_kb"] * designs["ways"])
        misses = np.where(designs["policy"] == "lru", misses, 1.2 * misses)
        if workload == "hot":
            misses = misses / 2
        return {"time_ns": 1 + 0.1 * designs["ways"] + 100 * misses, "area_mm2": 0.01 * designs["size_kb"]}


@pytest.fixture(scope="module")
def cache():
    return Cache()


def test_it_is_evaluated(cache):
    result = exarch.evaluate(cache, [{"ways": 4, "size_kb": 64}, {"policy": "random"}])
    assert np.allclose(result["time_ns"], [1.4 + 100 / 16, 1.1 + 120 / 4])
    assert result.units == {"time_ns": "ns", "area_mm2": "mm2"}
    with pytest.raises(exarch.UsageError, match="did you mean 'ways'"):
        exarch.evaluate(cache, [{"way": 4}])
    with pytest.raises(exarch.UsageError, match="unknown workload 'cold'"):
        exarch.evaluate(cache, [{}], workload="cold")


def test_agents_truths_stores_and_reports_work_on_it(cache, tmp_path):
    problem = exarch.Problem(cache, workload="hot", objective="both")
    truth = exarch.Truth.make(problem, tmp_path / "truth.db")
    report = exarch.Search(problem, "ga", population=32).run(10, tmp_path / "run.db")
    assert truth.relative_regret(report.best[0].cost)[0] >= 0
    assert len(truth.front()[0]) > 1
    store = exarch.open_store(tmp_path / "run.db")
    assert np.isclose(store.to_pandas()["time_ns"].min(), min(truth.costs() / truth.costs()) * store.to_pandas()["time_ns"].min())
    store.report(tmp_path / "run.html", truth=tmp_path / "truth.db")
    assert "time_ns" in (tmp_path / "run.html").read_text()
    again = exarch.Search(problem, "ga", population=32).run(12, tmp_path / "run.db")
    assert again.best[0].cost <= report.best[0].cost


def test_nan_is_a_failed_run():
    class Holes(exarch.Model):
        parameters = {"x": range(10)}
        metrics = {"y": "1"}

        def evaluate(self, designs, workload):
            return {"y": np.where(designs["x"] % 2 == 0, designs["x"], np.nan)}

    result = exarch.evaluate(Holes(), {"x": np.arange(10)})
    assert list(result.ok) == [True, False] * 5
    assert result.status_text[1] == "failed"


def test_its_exceptions_come_through():
    class Broken(exarch.Model):
        parameters = {"x": range(4)}
        metrics = {"y": "1", "z": "1"}

        def evaluate(self, designs, workload):
            if workload == "default":
                raise ZeroDivisionError("of mine")
            return {"y": designs["x"]}

        workloads = ["default", "other"]

    broken = Broken()
    with pytest.raises(ZeroDivisionError, match="of mine"):
        exarch.evaluate(broken, [{}])
    with pytest.raises(exarch.Error, match=r"evaluate\(\) gave \['y'\], its metrics are \['y', 'z'\]"):
        exarch.evaluate(broken, [{}], workload="other")
    with pytest.raises(ZeroDivisionError):
        exarch.Search(exarch.Problem(broken), "random", population=4).run(2)


def test_a_model_may_be_written_again(tmp_path):
    def make(factor):
        class Twice(exarch.Model):
            version = f"factor {factor}"
            parameters = {"x": range(4)}
            metrics = {"y": "1"}

            def evaluate(self, designs, workload):
                return {"y": factor * designs["x"]}

        return Twice()

    first = make(1)
    exarch.Sweep(exarch.Problem(first)).run(tmp_path / "sweep.db")
    second = make(2)
    assert exarch.evaluate(first, [{"x": 3}])["y"][0] == 3
    assert exarch.evaluate(second, [{"x": 3}])["y"][0] == 6
    with pytest.raises(exarch.Error, match="model"):
        exarch.Sweep(exarch.Problem(second)).run(tmp_path / "sweep.db")
    with pytest.raises(exarch.Error, match="factor 1"):
        exarch.open_store(tmp_path / "sweep.db")


@pytest.mark.parametrize("attributes, message", [
    ({"parameters": {}, "metrics": {"y": "1"}}, "needs parameters and metrics"),
    ({"parameters": {"x": []}, "metrics": {"y": "1"}}, "has no values"),
    ({"parameters": {"x": [1, "a"]}, "metrics": {"y": "1"}}, "mixes labels and numbers"),
    ({"parameters": {"x": [1, 2]}, "metrics": {"y": "1"}, "objectives": {"o": "min:z"}}, "z"),
    ({"parameters": {"x": [1, 2]}, "metrics": {"y": "1"}, "name": "dram"}, "there is an environment 'dram' already"),
    ({"parameters": {"x": [1, 2]}, "metrics": {"y": "1"}, "name": "a b"}, "expected letters"),
])
def test_mistakes_in_models(attributes, message):
    with pytest.raises(exarch.UsageError, match=message):
        type("Mistaken", (exarch.Model,), {"evaluate": lambda self, d, w: {"y": d["x"]}, "version": "1", **attributes})()
