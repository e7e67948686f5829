"""Weights & Biases."""

from __future__ import annotations

from typing import Any

from .._optional import need
from ._log import Tracker


class Wandb(Tracker):
    """A run of Weights & Biases.

    Args:
        options: of `wandb.init()`: project="dram", name="ga", mode="offline", dir="folder".

    Needs wandb.
    """

    def __init__(self, project: str = "exarch", **options: Any) -> None:
        self._wandb = need("wandb", "exarch.tracking.Wandb")
        self._options = {"project": project, **options}
        self.run: Any = None
        self._step = 0
        self._row: dict[str, float] = {}

    def start(self, parameters: dict[str, Any]) -> None:
        self.run = self._wandb.init(config=parameters, **self._options)

    def metric(self, name: str, value: float, step: int) -> None:
        # One row a generation: wandb counts every call of log() otherwise.
        if step != self._step:
            self._send()
            self._step = step
        self._row[name] = value

    def _send(self) -> None:
        if self._row:
            self.run.log(self._row, step=self._step, commit=True)
        self._row = {}

    def files(self, paths: list[str]) -> None:
        self._send()
        artifact = self._wandb.Artifact(f"search-{self.run.id}", type="search")
        for path in paths:
            artifact.add_file(path)
        self.run.log_artifact(artifact)

    def end(self, status: str) -> None:
        if self.run is None:
            return
        self._send()
        self.run.summary["status"] = status
        self.run.finish(exit_code=0 if status == "FINISHED" else 1)
