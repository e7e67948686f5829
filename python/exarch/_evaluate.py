"""Evaluation: designs in, columns out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt

from . import _core
from ._designs import DesignsLike, as_designs
from ._environment import EnvironmentLike, WorkloadLike, environment, load_workload, one_workload
from ._machine import machine
from ._problem import Space
from ._result import Result

#: Called with (designs done, designs in all), by the thread that evaluates.
Progress = Optional[Callable[[int, int], object]]


class Evaluator:
    """Evaluates designs on one workload, any number of times, and remembers: a design that was simulated, or is proved equal to one
    that was, is not simulated again. So it needs some 500 bytes for every run it has made; `evaluate()` forgets instead.

        evaluator = exarch.Evaluator("dram", workload="cloud-1")
        evaluator.evaluate([{"PagePolicy": "Open"}])["total_time_ps"]

    Args:
        env: an environment's name, an `Environment` or a `Model`.
        workload: a name ("cloud-1"), or options ({"trace": "cloud-1", "clk_mhz": 800}); None: defaults.
        engine: "fast", or "reference", the slow and plain model.
        share: False simulates every design as it stands. The results are the same.
        threads: None: all that the machine has.
        backend: "auto", "cpu" or "cuda".

    Raises:
        UsageError: for what is unknown or out of range, with the nearest valid name. Error: for files that cannot be read.
    """

    def __init__(self, env: EnvironmentLike, workload: WorkloadLike = None, *, engine: str = "fast", share: bool = True,
                 threads: int | None = None, backend: str = "auto") -> None:
        self.environment = environment(env)
        options = one_workload(self.environment, workload, "an evaluation")
        self.workload = load_workload(self.environment, options)
        self._evaluation = _core.Evaluation(self.environment._core, self.workload, machine(backend, threads), engine, share)

    def evaluate(self, designs: DesignsLike, *, metrics: Sequence[str] | None = None, space: Space | None = None,
                 progress: Progress = None) -> Result:
        """The results of designs, as `exarch.evaluate()` has them."""
        table = as_designs(self.environment, designs, space._core if space is not None else None)
        return self._result(table, metrics, progress)

    def _result(self, table: npt.NDArray[np.int64], shown: Sequence[str] | None, progress: Progress) -> Result:
        status, counters, values, artifacts = self._evaluation.evaluate(table, progress)
        return Result(self.environment, table, status, counters, values, artifacts, shown, self.workload.warnings)

    @property
    def simulated(self) -> int:
        """How many runs were made so far."""
        return self._evaluation.simulated


def evaluate(env: EnvironmentLike, designs: DesignsLike, *, workload: WorkloadLike = None, metrics: Sequence[str] | None = None,
             space: Space | None = None, engine: str = "fast", share: bool = True, threads: int | None = None,
             backend: str = "auto", progress: Progress = None) -> Result:
    """Evaluates designs.

        exarch.evaluate("dram", [{"PagePolicy": "Open"}], workload={"trace": "cloud-1"})["total_time_ps"]

    Args:
        env: an environment's name, an `Environment` or a `Model`.
        designs: a list of dicts; or a dict of columns; or a DataFrame; parameters that are left out have their defaults. Or an
            integer array (design, parameter) of values in the order of `Environment.parameters`, labels by number; with `space`, of
            genes: places in the space's lists of values.
        workload: a name ("cloud-1"), or options ({"trace": "cloud-1"}); None: defaults.
        metrics: names of the metrics and counters that the result shows; None: all.
        space: what genes are about: `Problem.space`.
        engine: "fast", or "reference", the slow and plain model.
        share: False simulates every design as it stands. The results are the same.
        threads: None: all that the machine has.
        backend: "auto", "cpu" or "cuda". The results are the same.
        progress: called with (designs done, designs in all) after every 65,536 designs. An exception ends the evaluation.

    Returns:
        A `Result`: a mapping from names of metrics and counters to arrays of shape (design,).

    Raises:
        UsageError: for what is unknown or out of range, with the nearest valid name. Error: for files that cannot be read, or a
        device that does not answer. KeyboardInterrupt: within some 50 ms of Ctrl-C.
    """
    evaluator = Evaluator(env, workload, engine=engine, share=share, threads=threads, backend=backend)
    return evaluator.evaluate(designs, metrics=metrics, space=space, progress=progress)
