"""Searches in MLflow: live, or from their finished stores.

    from exarch import tracking

    report = tracking.mlflow_search(search, generations=50, store="run.db", tracking_uri="http://localhost:5000")
    tracking.mlflow_import("old.db", tracking_uri="http://localhost:5000")

A run has the problem and the agent as parameters; after every generation the metrics `best` (as the objective states it) and
`evaluations`; at its end the best design (`best.json`), the report (`report.html`) and the store as artifacts. Metrics are sent in
batches, at most once a second, so that tracking does not slow a search down. One row per evaluation is what stores are for.

Needs mlflow, or mlflow-skinny for a server elsewhere.
"""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import time
from typing import Any, Optional

from . import _core
from ._optional import need
from ._search import FoundDesign, Search, SearchReport
from ._store import Store

_MOST = 1000  # metrics of a batch, MLflow's limit
_LONGEST = 6000  # characters of a parameter, likewise


class _Run:
    """A run of MLflow under way."""

    def __init__(self, experiment: str, name: Optional[str], tracking_uri: Optional[str], parameters: dict[str, Any]) -> None:
        self._entities = need("mlflow.entities", "exarch.tracking", "mlflow")
        self.client = need("mlflow.tracking", "exarch.tracking", "mlflow").MlflowClient(tracking_uri=tracking_uri)
        known = self.client.get_experiment_by_name(experiment)
        number = known.experiment_id if known is not None else self.client.create_experiment(experiment)
        self.id: str = self.client.create_run(number, run_name=name).info.run_id
        self._waiting: list[Any] = []
        self._sent = time.monotonic()
        rows = [self._entities.Param(key, str(value)[:_LONGEST]) for key, value in parameters.items()]
        self.client.log_batch(self.id, params=rows)

    def metric(self, name: str, value: float, step: int) -> None:
        self._waiting.append(self._entities.Metric(name, value, int(time.time() * 1000), step))
        if time.monotonic() - self._sent > 1 or len(self._waiting) >= _MOST:
            self.send()

    def send(self) -> None:
        waiting, self._waiting, self._sent = self._waiting, [], time.monotonic()
        for first in range(0, len(waiting), _MOST):
            self.client.log_batch(self.id, metrics=waiting[first:first + _MOST])

    def end(self, status: str) -> None:
        self.send()
        self.client.set_terminated(self.id, status)

    def artifacts(self, best: list[FoundDesign], store: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            if best:
                path = pathlib.Path(folder) / "best.json"
                found = {"design": best[0].design, "cost": best[0].cost, "metrics": best[0].metrics, "counters": best[0].counters}
                path.write_text(json.dumps(found, indent=2), encoding="utf-8")
                self.client.log_artifact(self.id, str(path))
            if store:
                self.client.log_artifact(self.id, Store(store).report(pathlib.Path(folder) / "report.html"))
                self.client.log_artifact(self.id, store)


def mlflow_search(search: Search, generations: int, store: str | os.PathLike[str] = "", *, experiment: str = "exarch",
                  run_name: str | None = None, tracking_uri: str | None = None, **options: Any) -> SearchReport:
    """Runs a search, as `Search.run()` does, and logs it while it goes on.

    Args:
        store, options: as for `Search.run()`; with a store, the report and the store are artifacts.
        experiment: is made where it is missing.
        tracking_uri: of the server; None: what MLflow is set to (MLFLOW_TRACKING_URI).

    Raises:
        As `Search.run()`; the run then ends as FAILED, or KILLED after Ctrl-C.
    """
    problem, path = search.problem, os.fspath(store)
    parameters = {"environment": problem.environment.name, "model": problem.environment.model, "space": problem.space.name,
                  **problem.workloads[0], "objective": "; ".join(problem.objectives), "population": search.population,
                  "agent": search.agent if isinstance(search.agent, str) else type(search.agent).__name__, "seed": search.seed,
                  **{f"agent.{name}": value for name, value in search.parameters.items()}}
    run = _Run(experiment, run_name, tracking_uri, parameters)
    best: list[float] = []
    evaluations = 0

    def improvement(generation: int, requested: int, values: list[float], design: dict[str, Any]) -> None:
        best[:] = values

    def progress(done: int, total: int, note: str) -> None:
        nonlocal evaluations
        evaluations += search.population
        run.metric("evaluations", evaluations, done)
        for name, value in zip(_names(len(best)), best):
            run.metric(name, value, done)

    try:
        report = search.run(generations, path, progress=progress, improvement=improvement, **options)
    except KeyboardInterrupt:
        run.end("KILLED")
        raise
    except BaseException:
        run.end("FAILED")
        raise
    run.artifacts(report.best, path)
    run.end("FINISHED")
    return report


def mlflow_import(store: str | os.PathLike[str], *, experiment: str = "exarch", run_name: str | None = None,
                  tracking_uri: str | None = None) -> str:
    """Logs a search that has ended from its store; returns the run's id. UsageError for the store of a sweep."""
    opened = Store(store)
    if opened.kind != "search":
        raise _core.UsageError(f"{opened.path} is the store of a sweep; searches are logged")
    parameters = {"environment": opened.environment.name, "model": opened.environment.model, "space": opened.space.name,
                  opened.environment.primary_option: opened.workloads[0]}
    parameters |= {key: opened.identity[key] for key in ("objective", "agent", "agent parameters", "population", "seed")}
    run = _Run(experiment, run_name, tracking_uri, parameters)
    best: list[float] = []
    for generation, requested, _, costs in opened.generations():
        lowest = costs.min(axis=0)
        best = [min(old, new) for old, new in zip(best, lowest)] if best else lowest.tolist()
        run.metric("evaluations", requested, generation + 1)
        for name, value in zip(_names(len(best)), best):
            if abs(value) < float("inf"):
                run.metric(f"{name}_cost", value, generation + 1)
    run.artifacts(opened.best(1), opened.path)
    run.end("FINISHED")
    return run.id


def _names(objectives: int) -> list[str]:
    return ["best"] if objectives == 1 else [f"best_{k}" for k in range(1, objectives + 1)]
