"""What is logged of a search, whatever the tracker."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
from typing import Any

from .. import _core
from .._search import FoundDesign, Search, SearchReport
from .._store import Store


class Tracker:
    """Where a search is logged. One run each; the functions are called in this order."""

    def start(self, parameters: dict[str, Any]) -> None:
        """A run begins: what it is about, by name."""

    def metric(self, name: str, value: float, step: int) -> None:
        """A finite value after a generation; steps never go back."""

    def files(self, paths: list[str]) -> None:
        """What came of the run: best.json, and with a store report.html and the store. The files of a temporary folder are gone
        after the call."""

    def end(self, status: str) -> None:
        """"FINISHED", "FAILED" or "KILLED" (Ctrl-C)."""


def log_search(search: Search, generations: int, store: str | os.PathLike[str] = "", *, tracker: Tracker, **options: Any) -> SearchReport:
    """Runs a search, as `Search.run()` does, and logs it while it goes on.

    Args:
        store, options: as for `Search.run()`; with a store, the report and the store are logged, too.

    Raises:
        As `Search.run()`; the run then ends as FAILED, or KILLED after Ctrl-C.
    """
    problem, path = search.problem, os.fspath(store)
    tracker.start({"environment": problem.environment.name, "model": problem.environment.model, "space": problem.space.name,
                   **problem.workloads[0], "objective": "; ".join(problem.objectives), "population": search.population,
                   "agent": search.agent if isinstance(search.agent, str) else type(search.agent).__name__, "seed": search.seed,
                   **{f"agent.{name}": value for name, value in search.parameters.items()}})
    best: list[float] = []
    evaluations = 0

    def improvement(generation: int, requested: int, values: list[float], design: dict[str, Any]) -> None:
        best[:] = values

    def progress(done: int, total: int, note: str) -> None:
        nonlocal evaluations
        evaluations += search.population
        tracker.metric("evaluations", evaluations, done)
        for name, value in zip(_names(len(best)), best):
            tracker.metric(name, value, done)

    try:
        report = search.run(generations, path, progress=progress, improvement=improvement, **options)
        _files(tracker, report.best, path)
    except KeyboardInterrupt:
        tracker.end("KILLED")
        raise
    except BaseException:
        tracker.end("FAILED")
        raise
    tracker.end("FINISHED")
    return report


def log_store(store: str | os.PathLike[str], *, tracker: Tracker) -> None:
    """Logs a search that has ended from its store. UsageError for the store of a sweep."""
    opened = Store(store)
    if opened.kind != "search":
        raise _core.UsageError(f"{opened.path} is the store of a sweep; searches are logged")
    parameters = {"environment": opened.environment.name, "model": opened.environment.model, "space": opened.space.name,
                  opened.environment.primary_option: opened.workloads[0]}
    parameters |= {key: opened.identity[key] for key in ("objective", "agent", "agent parameters", "population", "seed")}
    tracker.start(parameters)
    best: list[float] = []
    for generation, requested, _, costs in opened.generations():
        lowest = costs.min(axis=0)
        best = [min(old, new) for old, new in zip(best, lowest)] if best else lowest.tolist()
        tracker.metric("evaluations", requested, generation + 1)
        for name, value in zip(_names(len(best)), best):
            if abs(value) < float("inf"):
                tracker.metric(f"{name}_cost", value, generation + 1)
    _files(tracker, opened.best(1), opened.path)
    tracker.end("FINISHED")


def _files(tracker: Tracker, best: list[FoundDesign], store: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        if best:
            path = pathlib.Path(folder) / "best.json"
            found = {"design": best[0].design, "cost": best[0].cost, "metrics": best[0].metrics, "counters": best[0].counters}
            path.write_text(json.dumps(found, indent=2), encoding="utf-8")
            paths.append(str(path))
        if store:
            paths += [os.fspath(Store(store).report(pathlib.Path(folder) / "report.html")), store]
        tracker.files(paths)


def _names(objectives: int) -> list[str]:
    return ["best"] if objectives == 1 else [f"best_{k}" for k in range(1, objectives + 1)]
