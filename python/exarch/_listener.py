"""What hears of a run's progress."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ._environment import Environment, WorkloadWarning

#: Called with (done, in all, note), note being "best 6.497e+07"; in the unit of the run: generations, evaluations.
RunProgress = Optional[Callable[[int, int, str], object]]
#: Called with (generation, evaluations so far, values by objective, design).
Improvement = Optional[Callable[[int, int, list[float], dict[str, Any]], object]]


class Listener:
    """Hands on what a run tells to functions, and its warnings to Python's."""

    def __init__(self, env: Environment, progress: RunProgress = None, improvement: Improvement = None) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self._total = 0
        self._environment = env
        self._progress = progress
        self._improvement = improvement

    def on_start(self, unit: str, total: int, done: int) -> None:
        self._total = total

    def on_progress(self, done: int, note: str) -> None:
        if self._progress is not None:
            self._progress(done, self._total, note)

    def on_improvement(self, generation: int, requested: int, values: list[float], design: npt.NDArray[np.int64]) -> None:
        if self._improvement is not None:
            from . import _core

            self._improvement(generation, requested, values, _core.design_dict(self._environment._core, design))

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_warning(self, text: str) -> None:
        self.warnings.append(text)
        warnings.warn(text, WorkloadWarning, stacklevel=4)
