"""Searches: an agent proposes designs and is told what they cost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

import numpy as np
import numpy.typing as npt

from . import _core, _html
from ._checks import whole
from ._designs import as_designs
from ._environment import Environment
from ._evaluate import Evaluator
from ._listener import Improvement, Listener, RunProgress
from ._machine import machine
from ._optional import need
from ._problem import Genes, Problem
from ._result import Result


@dataclass(frozen=True)
class AgentInfo:
    """An agent or a variant of one."""

    name: str
    doc: str
    hyperparameters: tuple[tuple[str, str, str, str], ...]  #: (name, default, range, doc)
    max_objectives: int


def agents() -> list[AgentInfo]:
    """Every agent and variant."""
    return [AgentInfo(name, doc, tuple(rows), objectives) for name, doc, rows, objectives in _core.agents()]


class OwnAgent(Protocol):
    """An agent of your own: any object with these two functions. With `state() -> bytes` and `restore(state)` too, a search of it can
    be continued from a store."""

    def ask(self) -> npt.NDArray[np.int64]:
        """Genes int64 (candidate, parameter); no rows end the search."""

    def tell(self, genes: Genes, costs: npt.NDArray[np.float64]) -> None:
        """Costs float64 (candidate, objective) of the genes that were asked: lower is better, inf where infeasible."""


@dataclass(frozen=True)
class FoundDesign:
    """A design of a report with its result."""

    design: dict[str, Any]
    cost: float  #: by the first objective, lower is better
    values: list[float]  #: by objective, as it states them
    metrics: dict[str, float]
    counters: dict[str, float]
    status: str
    artifact: str


def found_design(env: Environment, row: dict[str, Any]) -> FoundDesign:
    """From the engine's report."""
    counters = np.array(row["counters"], dtype=np.uint64)
    return FoundDesign(
        design=_core.design_dict(env._core, row["design"]), cost=row["cost"], values=row.get("values", [row["cost"]]),
        metrics=dict(zip((metric.name for metric in env.metrics), row["metrics"])),
        counters={c.name: counters[c.column:c.column + 1].view(c.dtype)[0].item() for c in env.counters},
        status=env.status_text(row.get("status", 0)),
        artifact=row.get("artifact", ""))


def found_frame(found: list[FoundDesign]) -> Any:
    """A DataFrame, a row for each."""
    pandas = need("pandas", "to_pandas()")
    return pandas.DataFrame([{**one.design, "cost": one.cost, **one.metrics, **one.counters} for one in found])


@dataclass(frozen=True)
class SearchReport:
    """What came of a search. Times are of this process, numbers of all that worked on its store."""

    environment: Environment
    objectives: list[str]
    workload: str
    generations: int
    requested: int  #: evaluations asked for
    simulated: int  #: runs that they took
    infeasible: int  #: candidates that broke a constraint or whose run failed
    reasons: dict[str, int]  #: why candidates do not count: how many
    seconds: float
    agent_seconds: float
    evaluation_seconds: float
    best: list[FoundDesign]  #: best first; of several objectives the Pareto front of what was seen
    baseline: FoundDesign
    notes: list[str] = field(default_factory=list)

    def to_pandas(self) -> Any:
        """The best designs as a DataFrame. Needs pandas."""
        return found_frame(self.best)

    def _repr_html_(self) -> str:
        fixed = {name for name in self.baseline.design if len({str(one.design[name]) for one in self.best}) <= 1}
        names = [name for name in self.baseline.design if name not in fixed]
        header = ["", *self.objectives, *names]
        rows = [[rank, *one.values, *(one.design[name] for name in names)] for rank, one in enumerate(self.best, 1)]
        rows.append(["default", *self.baseline.values, *(self.baseline.design[name] for name in names)])
        caption = (f"{self.environment.name} on {self.workload}: {self.generations} generations, {self.requested:,} evaluations, "
                   f"{self.simulated:,} simulated, {self.seconds:.3g} s")
        return _html.table(header, rows, caption)


class Search:
    """A search of a problem's space, by one of Exarch's agents or one of your own.

        report = exarch.Search(problem, "ga", population=256, seed=7).run(generations=20, store="run.db")

    Or step by step, with what happens in between in your hands:

        search = exarch.Search(problem, "ga", population=256)
        for _ in range(20):
            genes = search.ask()                      # uint16 (candidate, parameter)
            result = search.evaluate(genes)
            search.tell(result)                       # or costs, float64 (candidate,)

    Args:
        problem: one workload; several objectives for agents that take several.
        agent: a name of `agents()`, "ga" or "ga:archgym"; or an object with `ask()` and `tell(genes, costs)`.
        population: candidates per generation.
        seed: of all that the agent draws. The same seed gives the same search on every machine.
        parameters: the agent's hyperparameters.
        engine, share, threads, backend: as for `evaluate()`.

    Raises:
        UsageError: for unknown names and values that make no sense; when the search runs or is first asked.
    """

    def __init__(self, problem: Problem, agent: Union[str, OwnAgent] = "ga", *, population: int = 1024, seed: int = 1,
                 parameters: Mapping[str, Any] | None = None, engine: str = "fast", share: bool = True,
                 threads: int | None = None, backend: str = "auto") -> None:
        self.problem = problem
        self.agent = agent
        self.population = whole("population", population, 1)
        self.seed = whole("seed", seed, 0)
        self.parameters = {name: str(value) for name, value in (parameters or {}).items()}
        self._settings: dict[str, Any] = {"engine": engine, "share": share}
        self._where: dict[str, Any] = {"backend": backend, "threads": threads}
        self._ask_tell: _core.AskTell | None = None
        self._evaluator: Evaluator | None = None

    def run(self, generations: int = 50, store: str | os.PathLike[str] = "", *, top: int = 5,
            baseline: Mapping[str, Any] | None = None, progress: RunProgress = None, improvement: Improvement = None) -> SearchReport:
        """Searches for so many generations.

        Args:
            store: a run store (SQLite) that is made, or continued if it holds the same search; "": none.
            top: best designs in the report, of one objective; of several, all of the front.
            baseline: what the best are compared with; None: the default design.
            progress: called with (generations done, in all, note).
            improvement: called with (generation, evaluations, values, design) for every new best design.

        Raises:
            UsageError, Error; KeyboardInterrupt: the store then has all generations that ended, and the same call goes on.
        """
        env = self.problem.environment
        whole("generations", generations, 1, 10_000_000)
        whole("top", top, 1, 1_000_000)
        listener = Listener(env, progress, improvement)
        base = as_designs(env, [baseline])[0].tolist() if baseline is not None else None
        report: dict[str, Any] = _core.search(
            self.problem._core, self.agent, self.parameters, self.population, generations, self.seed, self._settings["engine"],
            self._settings["share"], top, base, machine(**self._where), os.fspath(store), listener)
        return SearchReport(
            environment=env, objectives=self.problem.objectives, workload=report["workload"], generations=report["generations"],
            requested=report["requested"], simulated=report["simulated"], infeasible=report["infeasible"], reasons=report["reasons"],
            seconds=report["seconds"], agent_seconds=report["agent_seconds"], evaluation_seconds=report["evaluation_seconds"],
            best=[found_design(env, row) for row in report["best"]], baseline=found_design(env, report["baseline"]),
            notes=listener.notes)

    # ---- step by step

    def ask(self) -> Genes:
        """The next candidates: genes uint16 (candidate, parameter); no rows when the agent has nothing left to ask."""
        return self._agent().ask()

    def evaluate(self, genes: npt.ArrayLike) -> Result:
        """The results of genes on the problem's workload."""
        if self._evaluator is None:
            if len(self.problem.workloads) != 1:
                raise _core.UsageError("a search takes one workload; run one search for each")
            self._evaluator = Evaluator(self.problem.environment, self.problem.workloads[0], **self._settings, **self._where)
        return self._evaluator.evaluate(self.problem.space.designs(genes))

    def tell(self, costs: Result | npt.ArrayLike) -> None:
        """What the candidates of the last ask() cost: their result, or costs float64 (candidate,) or (candidate, objective), lower is
        better, inf where infeasible. UsageError for another shape, or without an ask()."""
        status, metrics = np.empty(0, np.uint8), np.empty((0, 0))
        if isinstance(costs, Result):
            status, metrics = np.ascontiguousarray(costs.status), np.ascontiguousarray(costs._table.T)
            costs = np.stack([costs.cost(objective) for objective in self.problem.objectives], axis=1)
        table = np.ascontiguousarray(costs, dtype=np.float64)
        self._agent().tell(table[:, None] if table.ndim == 1 else table, status, metrics)

    @property
    def state(self) -> bytes:
        """All that the agent remembers, between a tell() and the next ask()."""
        return self._agent().state()

    def restore(self, state: bytes) -> None:
        """Goes on where a search with the same arguments had this state. Error for a state of another."""
        self._agent().restore(state)

    def _agent(self) -> _core.AskTell:
        if self._ask_tell is None:
            if not isinstance(self.agent, str):
                raise _core.UsageError("an agent of your own is asked and told by run(); call its functions themselves")
            self._ask_tell = _core.AskTell(self.problem.space._core, self.agent, self.population, self.seed, self.parameters,
                                           len(self.problem.objectives))
        return self._ask_tell
