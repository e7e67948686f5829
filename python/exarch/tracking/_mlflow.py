"""MLflow."""

from __future__ import annotations

import time
from typing import Any

from .._optional import need
from ._log import Tracker

_MOST = 1000  # metrics of a batch, MLflow's limit
_LONGEST = 6000  # characters of a parameter, likewise


class Mlflow(Tracker):
    """A run of MLflow. Metrics are sent in batches, at most once a second, so that tracking does not slow a search down.

    Args:
        experiment: is made where it is missing.
        tracking_uri: of the server; None: what MLflow is set to (MLFLOW_TRACKING_URI).

    Needs mlflow, or mlflow-skinny for a server elsewhere. `id` is the run's, once it has begun.
    """

    def __init__(self, experiment: str = "exarch", run_name: str | None = None, tracking_uri: str | None = None) -> None:
        self._entities = need("mlflow.entities", "exarch.tracking", "mlflow")
        self.client = need("mlflow.tracking", "exarch.tracking", "mlflow").MlflowClient(tracking_uri=tracking_uri)
        self._experiment, self._name = experiment, run_name
        self.id = ""
        self._waiting: list[Any] = []
        self._sent = time.monotonic()

    def start(self, parameters: dict[str, Any]) -> None:
        known = self.client.get_experiment_by_name(self._experiment)
        number = known.experiment_id if known is not None else self.client.create_experiment(self._experiment)
        self.id = self.client.create_run(number, run_name=self._name).info.run_id
        self._sent = time.monotonic()
        self.client.log_batch(self.id, params=[self._entities.Param(key, str(value)[:_LONGEST]) for key, value in parameters.items()])

    def metric(self, name: str, value: float, step: int) -> None:
        self._waiting.append(self._entities.Metric(name, value, int(time.time() * 1000), step))
        if time.monotonic() - self._sent > 1 or len(self._waiting) >= _MOST:
            self._send()

    def _send(self) -> None:
        waiting, self._waiting, self._sent = self._waiting, [], time.monotonic()
        for first in range(0, len(waiting), _MOST):
            self.client.log_batch(self.id, metrics=waiting[first:first + _MOST])

    def files(self, paths: list[str]) -> None:
        for path in paths:
            self.client.log_artifact(self.id, path)

    def end(self, status: str) -> None:
        self._send()
        self.client.set_terminated(self.id, status)
