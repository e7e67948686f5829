"""TensorBoard."""

from __future__ import annotations

import importlib.util
import os
import pathlib
from typing import Any

from .._optional import need
from ._log import Tracker


class TensorBoard(Tracker):
    """Event files in a folder, for `tensorboard --logdir`. The best design is a text beside the parameters; other files are not kept.

    Needs tensorboardX, or torch with tensorboard.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        module = "tensorboardX" if importlib.util.find_spec("tensorboardX") is not None else "torch.utils.tensorboard"
        self._writer = need(module, "exarch.tracking.TensorBoard", "tensorboardX").SummaryWriter(os.fspath(folder))

    def start(self, parameters: dict[str, Any]) -> None:
        rows = "\n".join(f"| {name} | {value} |" for name, value in parameters.items())
        self._writer.add_text("parameters", f"| parameter | value |\n|---|---|\n{rows}", 0)

    def metric(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def files(self, paths: list[str]) -> None:
        for path in paths:
            if path.endswith("best.json"):
                self._writer.add_text("best", f"```\n{pathlib.Path(path).read_text(encoding='utf-8')}\n```", 0)

    def end(self, status: str) -> None:
        self._writer.add_text("status", status, 0)
        self._writer.close()
