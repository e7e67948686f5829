"""The truth about a space: what every design costs, and so regret, rank and the Pareto front of any."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core, _html
from ._environment import environment
from ._listener import Listener, RunProgress
from ._machine import machine
from ._problem import Problem, Space
from ._store import Store


class Truth:
    """A store of a whole space, looked at by an objective.

        truth = exarch.Truth.make(problem, "truth.db")              # sweeps what the store lacks
        truth.optimum, truth.best_design
        truth.relative_regret(report.best[0].cost)                  # array([0.0007])

    Args:
        store: a store that `Truth.make()`, `exarch study truth` or a whole sweep made.
        workload: its name in the store, or its number.
        objective: a preset or an expression; "": the one that the store was made for.
    """

    def __init__(self, store: str | os.PathLike[str] | Store, workload: str | int = 0, objective: str = "") -> None:
        opened = store if isinstance(store, Store) else Store(store)
        self.store = opened
        self.environment = opened.environment
        self.space: Space = opened.space
        self._core = _core.TruthReader(opened._open(), opened.workload_number(workload), objective)
        about: dict[str, Any] = self._core.about()
        self.objective: str = about["objective"]
        self.designs: int = about["designs"]  #: how many there are
        self.feasible_designs: int = about["feasible_designs"]
        self.optimum: float = about["optimum"]  #: as the objective states it
        self.optimum_cost: float = about["optimum_cost"]
        self.optimal_designs: int = about["optimal_designs"]  #: how many have it
        self.best_design: dict[str, Any] = _core.design_dict(self.environment._core, about["best_design"])

    @classmethod
    def make(cls, problem: Problem, store: str | os.PathLike[str], *, engine: str = "fast", share: bool = True,
             threads: int | None = None, backend: str = "auto", progress: RunProgress = None) -> Truth:
        """Sweeps the whole space of a problem into a store, which is made or continued, and opens it for the first workload. Error
        for a space that is too large for a table."""
        listener = Listener(environment(problem.environment), progress)
        _core.truth(problem._core, engine, share, machine(backend, threads), os.fspath(store), listener)
        return cls(store)

    def costs(self, points: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """Costs float64 (point,) of points by number, or of all; lower is better, inf where infeasible."""
        if points is None:
            return self._core.all_costs()
        return self._core.costs(np.atleast_1d(np.ascontiguousarray(points, dtype=np.uint64)))

    def rank(self, costs: npt.ArrayLike) -> npt.NDArray[np.uint64]:
        """One more than the number of designs that cost less, for each cost."""
        return self._core.ranks(_floats(costs))

    def regret(self, costs: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How much more than the optimum each cost is; inf where infeasible."""
        return self._core.regrets(_floats(costs))

    def relative_regret(self, costs: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The same over the optimum's magnitude: 0.01 is one percent."""
        return self._core.relative_regrets(_floats(costs))

    def front(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float64]]:
        """The Pareto front of the environment's trade-offs: points (design,) and metrics (design, metric)."""
        points, metrics = self._core.front()
        return points, metrics

    def importance(self) -> dict[str, tuple[float, float]]:
        """What each parameter decides alone, and in all, as shares of the cost's variance; exact."""
        shares: dict[str, tuple[float, float]] = self._core.importance()
        return shares

    def __repr__(self) -> str:
        return f"<exarch.Truth {self.environment.name}, {self.objective}: optimum {self.optimum:.9g} among {self.designs:,} designs>"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [("optimum", self.optimum), ("designs that have it", self.optimal_designs), ("designs", self.designs)]
        rows += [(f"{name}: alone, in all", f"{100 * alone:.1f} %, {100 * total:.1f} %")
                 for name, (alone, total) in self.importance().items()]
        return _html.table([self.objective, ""], rows, f"{self.environment.name}, space {self.space.name}")


def _floats(costs: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.atleast_1d(np.ascontiguousarray(costs, dtype=np.float64))
