"""Sweeps: every point of a space, or a sample of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from . import _core
from ._checks import whole
from ._environment import Environment
from ._listener import Listener, RunProgress
from ._machine import machine
from ._problem import Problem
from ._result import Result
from ._search import FoundDesign, found_design, found_frame


@dataclass(frozen=True)
class SweepReport:
    """What came of a sweep."""

    environment: Environment
    workloads: list[str]
    requested: int  #: evaluations, by this call
    simulated: int
    seconds: float
    results: dict[str, Result]  #: by workload, in the order of the sweep; of a sweep without a store that keeps everything
    kept: dict[str, list[FoundDesign]]  #: by workload; of a sweep without a store that keeps the best
    notes: list[str]

    def to_pandas(self) -> Any:
        """Results or kept designs of all workloads, with a column `workload`. Needs pandas."""
        from ._optional import need

        pandas = need("pandas", "to_pandas()")
        frames = [(name, result.to_pandas()) for name, result in self.results.items()]
        frames += [(name, found_frame(found)) for name, found in self.kept.items()]
        return pandas.concat([frame.assign(workload=name) for name, frame in frames], ignore_index=True)


class Sweep:
    """Every point of a problem's space on each of its workloads, or a sample.

        exarch.Sweep(problem, sample=1000, seed=3).run().results["cloud-1"]["total_time_ps"]
        exarch.Sweep(problem).run(store="sweep.db")           # millions of points: results stay on disk

    Args:
        sample: how many points are drawn uniformly, with repetition; 0: every point, in order.
        keep: 0: everything. Else so many of the best by the problem's first objective, and the Pareto front.
    """

    def __init__(self, problem: Problem, *, sample: int = 0, seed: int = 1, keep: int = 0, engine: str = "fast", share: bool = True,
                 threads: int | None = None, backend: str = "auto") -> None:
        self.problem = problem
        self.sample = whole("sample", sample, 0)
        self.seed = whole("seed", seed, 0)
        self.keep = whole("keep", keep, 0)
        self._settings: dict[str, Any] = {"engine": engine, "share": share}
        self._where: dict[str, Any] = {"backend": backend, "threads": threads}

    def run(self, store: str | os.PathLike[str] = "", *, progress: RunProgress = None) -> SweepReport:
        """Sweeps into a store, which is made or continued, or into memory: some 500 bytes a run, and 8 a value of a result.

        Raises:
            UsageError, Error; KeyboardInterrupt: a store then has all that was done, and the same call goes on.
        """
        env = self.problem.environment
        listener = Listener(env, progress)
        path = os.fspath(store)
        collect = path == "" and self.keep == 0
        report: dict[str, Any] = _core.sweep(self.problem._core, self.sample, self.seed, self.keep, self._settings["engine"],
                                             self._settings["share"], machine(**self._where), path, collect, listener)
        names = [options[env.primary_option] for options in self.problem.workloads]
        results: dict[str, Result] = {}
        if collect:
            designs = _core.sweep_designs(self.problem.space._core, self.sample, self.seed)
            for name, (status, counters, metrics) in zip(names, report["columns"]):
                results[name] = Result(env, designs, status, counters, metrics)
        kept = {name: [found_design(env, row) for row in rows] for name, rows in zip(names, report["kept"]) if self.keep > 0}
        return SweepReport(env, names, report["requested"], report["simulated"], report["seconds"], results, kept, listener.notes)
