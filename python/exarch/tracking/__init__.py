"""Searches in MLflow, Weights & Biases and TensorBoard: live, or from their finished stores.

    from exarch import tracking

    report = tracking.log_search(search, 50, "run.db", tracker=tracking.TensorBoard("runs/ga"))
    tracking.log_store("old.db", tracker=tracking.Wandb(project="dram", mode="offline"))
    tracking.mlflow_search(search, 50, "run.db", tracking_uri="http://localhost:5000")

A run has the problem and the agent as parameters; after every generation the metrics `best` (as the objective states it) and
`evaluations`; at its end the best design (`best.json`), the report (`report.html`) and the store, as far as the tracker takes files.
One row per evaluation is what stores are for.

A tracker of your own derives from `Tracker`.
"""

from __future__ import annotations

import os
from typing import Any

from .._search import Search, SearchReport
from ._log import Tracker, log_search, log_store
from ._mlflow import Mlflow
from ._tensorboard import TensorBoard
from ._wandb import Wandb


def mlflow_search(search: Search, generations: int, store: str | os.PathLike[str] = "", *, experiment: str = "exarch",
                  run_name: str | None = None, tracking_uri: str | None = None, **options: Any) -> SearchReport:
    """`log_search()` with `Mlflow(...)`."""
    return log_search(search, generations, store, tracker=Mlflow(experiment, run_name, tracking_uri), **options)


def mlflow_import(store: str | os.PathLike[str], *, experiment: str = "exarch", run_name: str | None = None,
                  tracking_uri: str | None = None) -> str:
    """`log_store()` with `Mlflow(...)`; returns the run's id."""
    tracker = Mlflow(experiment, run_name, tracking_uri)
    log_store(store, tracker=tracker)
    return tracker.id


__all__ = ["Mlflow", "TensorBoard", "Tracker", "Wandb", "log_search", "log_store", "mlflow_import", "mlflow_search"]
