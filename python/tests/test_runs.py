"""Searches, sweeps, truths, studies and stores from Python: equal to the command line's, and continued by either."""

import numpy as np
import pytest
from conftest import command_json, command_line

import exarch


def test_a_search_is_that_of_the_command_line(tmp_path):
    problem = exarch.Problem("dram", workload="cloud-1", space="archgym-aco", objective="latency")
    report = exarch.Search(problem, "ga", population=64, seed=3).run(generations=4, store=tmp_path / "python.db")
    printed = command_json("search", "dram", "--trace", "cloud-1", "--space", "archgym-aco", "--objective", "latency", "--agent", "ga",
                           "--population", "64", "--seed", "3", "--generations", "4", "--out", str(tmp_path / "program.db"))
    ours = command_json("best", str(tmp_path / "python.db"), "--top", "5")
    assert ours == command_json("best", str(tmp_path / "program.db"), "--top", "5")
    assert report.requested == printed["requested"] and report.simulated == printed["simulated"]
    # Either goes on with the other's store.
    more = exarch.Search(problem, "ga", population=64, seed=3).run(generations=6, store=tmp_path / "program.db")
    alone = exarch.Search(problem, "ga", population=64, seed=3).run(generations=6)
    assert more.best == alone.best and more.generations == 6
    assert any("continuing" in note for note in more.notes)


def test_asked_and_told_step_by_step_a_search_is_the_same():
    problem = exarch.Problem("dram", workload="random", space="archgym-aco", objective="archgym-both")
    told = []
    report = exarch.Search(problem, "aco", population=16, seed=5).run(generations=5, improvement=lambda *args: told.append(args))
    search = exarch.Search(problem, "aco", population=16, seed=5)
    best = np.inf
    state = b""
    for generation in range(5):
        if generation == 3:
            state = search.state
            search = exarch.Search(problem, "aco", population=16, seed=5)
            search.restore(state)
        genes = search.ask()
        assert genes.dtype == np.uint16 and genes.shape == (16, 12)
        result = search.evaluate(genes)
        best = min(best, result.cost("archgym-both").min())
        search.tell(result if generation % 2 else result.cost("archgym-both"))
    assert best == report.best[0].cost
    assert told[-1][3] == report.best[0].design


def test_mistakes_in_searches(small_problem, tmp_path):
    for search, message in [(exarch.Search(small_problem, "gaa"), "did you mean 'ga'"),
                            (exarch.Search(small_problem, "ga", parameters={"mutaton": 1}), "mutation"),
                            (exarch.Search(small_problem, "ga", population=1), "population 1 is out of range")]:
        with pytest.raises(exarch.UsageError, match=message):
            search.run(2)
    search = exarch.Search(small_problem, "ga", population=8)
    with pytest.raises(exarch.UsageError, match="there was none"):
        search.tell(np.zeros(8))
    search.ask()
    with pytest.raises(exarch.UsageError, match=r"costs of shape \(7, 1\), expected \(8, 1\)"):
        search.tell(np.zeros(7))
    exarch.Search(small_problem, "ga", population=8).run(2, tmp_path / "run.db")
    with pytest.raises(exarch.Error, match="population"):
        exarch.Search(small_problem, "ga", population=16).run(2, tmp_path / "run.db")


@pytest.mark.parametrize("call", [
    lambda problem: exarch.Search(problem, population=-1),
    lambda problem: exarch.Search(problem, seed=2.5),
    lambda problem: exarch.Search(problem).run(0),
    lambda problem: exarch.Sweep(problem, sample=True),
    lambda problem: exarch.Sweep(problem, threads=0).run(),
    lambda problem: problem.space.sample(-3),
    lambda problem: problem.space.genes([-1]),
])
def test_mistakes_in_numbers(small_problem, call):
    with pytest.raises(exarch.UsageError, match="expected (a )?whole number"):
        call(small_problem)


def test_ctrl_c_ends_a_search_and_the_store_goes_on(tmp_path, ctrl_c_after):
    problem = exarch.Problem("dram", workload="random", space="archgym-ga", objective="latency")

    def search():
        return exarch.Search(problem, "random", population=256, share=False, threads=1)

    with ctrl_c_after(1), pytest.raises(KeyboardInterrupt):
        search().run(100000, tmp_path / "run.db")
    done = exarch.open_store(tmp_path / "run.db")
    generations = len(list(done.generations()))
    report = search().run(generations + 1, tmp_path / "run.db")
    assert report.best == search().run(generations + 1).best


def test_an_agent_of_ones_own(small_problem):
    class InOrder:
        """Point after point."""

        def __init__(self, space, population):
            self.space, self.population, self.next, self.told = space, population, 0, 0

        def ask(self):
            points = np.arange(self.next, min(self.next + self.population, self.space.size))
            self.next += len(points)
            return self.space.genes(points).astype(np.int64)

        def tell(self, genes, costs):
            assert costs.shape == (len(genes), 1)
            self.told += len(genes)

    agent = InOrder(small_problem.space, 10)
    report = exarch.Search(small_problem, agent).run(generations=100)
    assert agent.told == small_problem.space.size == report.requested
    everything = exarch.Sweep(small_problem).run().results["cloud-1"]
    assert report.best[0].cost == everything.cost("latency").min()


def test_several_objectives_give_a_front(small_problem):
    problem = exarch.Problem("dram", workload="cloud-1", objective=["latency", "energy"])
    report = exarch.Search(problem, "nsga2", population=32).run(generations=5)
    values = np.array([found.values for found in report.best])
    assert len(values) > 1
    assert (np.diff(values[:, 0]) >= 0).all() and (np.diff(values[:, 1]) <= 0).all()


def test_sweeps_in_memory_and_in_a_store_are_the_same(small_problem, tmp_path):
    memory = exarch.Sweep(small_problem).run()
    exarch.Sweep(small_problem).run(tmp_path / "sweep.db")
    stored = exarch.open_store(tmp_path / "sweep.db").to_pandas()
    result = memory.results["cloud-1"]
    assert np.array_equal(stored["total_time_ps"], result["total_time_ps"])
    assert list(stored["PagePolicy"]) == list(result.parameter_columns()["PagePolicy"])
    direct = exarch.evaluate("dram", result.designs, workload="cloud-1")
    assert all(np.array_equal(direct[name], result[name]) for name in direct)
    sample = exarch.Sweep(small_problem, sample=50, seed=2).run().results["cloud-1"]
    assert np.array_equal(sample.designs, small_problem.space.designs(small_problem.space.sample(50, 2)))


def test_a_sweep_keeps_the_best(small_problem):
    report = exarch.Sweep(small_problem, keep=3).run()
    everything = exarch.Sweep(small_problem).run().results["cloud-1"]
    assert min(found.cost for found in report.kept["cloud-1"]) == everything.cost("latency").min()


def test_a_truth_knows_regret_rank_and_front(small_problem, tmp_path):
    truth = exarch.Truth.make(small_problem, tmp_path / "truth.db")
    result = exarch.evaluate("dram", small_problem.space.genes(np.arange(truth.designs)), workload="cloud-1", space=small_problem.space)
    costs = result.cost("latency")
    assert np.array_equal(truth.costs(), costs)
    assert truth.optimum == costs.min() and truth.optimal_designs == (costs == costs.min()).sum()
    assert np.array_equal(truth.rank(costs), [1 + (costs < cost).sum() for cost in costs])
    assert np.allclose(truth.relative_regret(costs), (costs - costs.min()) / costs.min())
    assert costs[int(small_problem.space.points([truth.best_design])[0])] == truth.optimum
    points, metrics = truth.front()
    assert len(points) == len(metrics) > 0
    printed = command_json("study", "truth", str(tmp_path / "truth.db"))[0]
    assert printed["optimum"] == truth.optimum
    assert {name: {"alone": a, "total": t} for name, (a, t) in truth.importance().items()} == printed["importance"]


def test_a_store_is_read_whole(small_problem, tmp_path):
    report = exarch.Search(small_problem, "ga", population=16).run(5, tmp_path / "run.db")
    store = exarch.open_store(tmp_path / "run.db")
    frame = store.to_pandas()
    assert len(frame) == report.requested == 80
    assert list(frame["generation"]) == [g for g in range(5) for _ in range(16)]
    assert frame["total_time_ps"].min() == report.best[0].metrics["total_time_ps"]
    assert store.best(1)[0].design == report.best[0].design
    chunks = []
    store.for_each_chunk(chunks.append, rows=7)
    assert np.array_equal(np.concatenate([chunk["total_time_ps"] for chunk in chunks]), frame["total_time_ps"])
    with pytest.raises(exarch.Error):
        exarch.open_store(tmp_path / "none.db")


def test_reports(small_problem, tmp_path):
    exarch.Search(small_problem, "ga", population=16).run(3, tmp_path / "run.db")
    store = exarch.open_store(tmp_path / "run.db")
    page = store.report(tmp_path / "run.html")
    command_line("report", str(tmp_path / "run.db"), "-o", str(tmp_path / "program.html"))
    with open(page) as ours, open(tmp_path / "program.html") as theirs:
        assert ours.read() == theirs.read()
    assert "srcdoc" in store._repr_html_()
    with pytest.raises(exarch.UsageError, match="is the store itself"):
        store.report(tmp_path / "run.db")


STUDY = """
name = "small"
environment = "dram"
space = "archgym-aco"
objectives = ["latency"]
costs = "simulation"
[workload]
trace = "cloud-1"
[[agents]]
agent = "random"
population = [8]
generations = [2]
seeds = 2
[[agents]]
agent = "ga"
population = [8]
generations = [2]
seeds = 2
"""


def test_a_study(tmp_path):
    summary = exarch.Study(STUDY).run(tmp_path / "study.db")
    assert [agent["label"] for agent in summary["agents"]] == ["random", "ga"]
    (tmp_path / "plan.toml").write_text(STUDY)
    assert summary == exarch.Study(tmp_path / "plan.toml").run(tmp_path / "again.db")
    assert "lottery" in exarch.plans()
    with pytest.raises(exarch.UsageError, match="did you mean 'lottery'"):
        exarch.Study("lotery")
    exarch.Study.report(tmp_path / "study.db", tmp_path / "study.html")
    assert (tmp_path / "study.html").stat().st_size > 10000


def test_spaces_and_fixed_parameters():
    problem = exarch.Problem("dram", space="archgym-aco", workload="stream", fix={"PagePolicy": "Open"})
    assert problem.space.size == 1769472 // 4
    assert problem.space.values["PagePolicy"] == ["Open"]
    assert int(problem.space.nvec.prod()) == problem.space.size
    again = exarch.Problem("dram", space=problem.space, workload="stream")
    assert again.space.to_json() == problem.space.to_json()
    for space, message in [("archgym-acoo", "did you mean 'archgym-aco'"), ({"PagePolcy": ["Open"]}, "PagePolicy"),
                           ({"PagePolicy": ["Opn"]}, "Open")]:
        with pytest.raises(exarch.UsageError, match=message):
            exarch.Problem("dram", workload="stream", space=space)
    with pytest.raises(exarch.UsageError, match="points, numbered from 0"):
        problem.space.genes([problem.space.size])
    with pytest.raises(exarch.UsageError, match="genes\\[0\\]"):
        problem.space.designs(np.full((1, 12), 999))


def test_every_environment_is_described():
    for name in exarch.environments():
        env = exarch.environment(name)
        assert env.metrics and env.parameters and env.objectives and env.workloads
        assert name in env._repr_html_()
        names = [p.name for p in env.parameters] + [m.name for m in env.metrics]
        assert len(set(names)) == len(names)
