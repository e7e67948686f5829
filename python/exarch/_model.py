"""Cost models of your own, written in Python."""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._environment import Environment, HasEnvironment

Columns = Mapping[str, npt.NDArray[Any]]
#: The values of a parameter: labels, or whole numbers in order. The first is the default.
Values = Union[Sequence[str], Sequence[int], range]


class Model(HasEnvironment):
    """A cost model. Derive from it, say what its designs and results are, and compute many at once:

        class Cache(exarch.Model):
            \"\"\"A cache, as a formula.\"\"\"

            parameters = {"ways": [1, 2, 4, 8], "size_kb": range(16, 257, 16), "policy": ["lru", "random"]}
            metrics = {"time_ns": "ns", "area_mm2": "mm2"}
            objectives = {"time": "min:time_ns", "both": "min:time_ns*area_mm2"}

            def evaluate(self, designs, workload):
                misses = 1 / np.sqrt(designs["size_kb"] * designs["ways"])
                misses = np.where(designs["policy"] == "lru", misses, 1.2 * misses)
                return {"time_ns": 1 + 0.1 * designs["ways"] + 100 * misses, "area_mm2": 0.01 * designs["size_kb"]}

    An instance is an environment: `exarch.evaluate(Cache(), ...)`, `exarch.Problem(Cache(), objective="time")`. Agents, sweeps,
    truths, stores and reports work on it. Stores know it by `name` and `version`; make an instance before one is opened.

    Class attributes:
        parameters: values by name: labels, or whole numbers. The first value is the default.
        metrics: units by name.
        objectives: expressions by name, the first is the default; left out: the first metric, to be minimised.
        workloads: names of what designs are evaluated on.
        tradeoffs: two or three metrics, lower is better, for Pareto fronts.
        name: by default the class's, in lower case.
        version: changes when a result does, so that no store mixes two models. By default a digest of the class's source.
    """

    parameters: ClassVar[Mapping[str, Values]] = {}
    metrics: ClassVar[Mapping[str, str]] = {}
    objectives: ClassVar[Mapping[str, str]] = {}
    workloads: ClassVar[Sequence[str]] = ("default",)
    tradeoffs: ClassVar[Sequence[str]] = ()
    name: ClassVar[str] = ""
    version: ClassVar[str] = ""

    def __init__(self) -> None:
        kind = type(self)
        name = kind.name or kind.__name__.lower()
        if not kind.parameters or not kind.metrics:
            raise _core.UsageError(f"model '{name}' needs parameters and metrics")
        rows = [_parameter(name, parameter, values) for parameter, values in kind.parameters.items()]
        metrics = list(kind.metrics)
        table = {
            "name": name, "doc": (inspect.getdoc(kind) or name).splitlines()[0], "version": f"{name}/{kind.version or _digest(kind)}",
            "parameters": rows, "metrics": [(metric, unit, "") for metric, unit in kind.metrics.items()],
            "objectives": list(kind.objectives.items()),
            "space": json.dumps({"name": "all", "parameters": {p: list(v) for p, v in kind.parameters.items()}}),
            "tradeoffs": [metrics.index(metric) for metric in kind.tradeoffs], "workloads": list(kind.workloads),
        }
        self._labels: list[npt.NDArray[Any] | None] = [np.asarray(row["labels"]) if row["labels"] else None for row in rows]
        self._environment = Environment(_core.add_environment(table, self._call))

    def evaluate(self, designs: Columns, workload: str) -> Columns:
        """The results of many designs.

        Args:
            designs: columns by parameter, each (design,): int64, or text for labels.
            workload: one of `workloads`.

        Returns:
            Columns by metric, each (design,) or a number for all. NaN in any of them: the design has no result, and its status is
            "failed". What it returns must depend on nothing but its arguments.
        """
        raise NotImplementedError(f"{type(self).__name__} has no evaluate()")

    @property
    def environment(self) -> Environment:
        """The model as an environment."""
        return self._environment

    def _call(self, workload: str, designs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        columns = {name: designs[:, p] if labels is None else labels[designs[:, p]]
                   for p, (name, labels) in enumerate(zip(type(self).parameters, self._labels))}
        results = self.evaluate(columns, workload)
        names = list(type(self).metrics)
        if set(results) != set(names):
            raise _core.Error(f"model '{self._environment.name}': evaluate() gave {sorted(results)}, its metrics are {sorted(names)}")
        table = np.empty((len(names), len(designs)))
        for k, name in enumerate(names):
            try:
                table[k] = results[name]
            except ValueError:
                raise _core.Error(f"model '{self._environment.name}': evaluate() gave '{name}' of shape {np.shape(results[name])}, "
                                  f"expected ({len(designs)},)") from None
        return table


def _parameter(model: str, name: str, values: Values) -> dict[str, Any]:
    listed: list[Any] = list(values)
    row: dict[str, Any] = {"name": name, "labels": [], "unit": "", "doc": "", "minimum": 0, "maximum": 0, "default": 0}
    if not listed:
        raise _core.UsageError(f"model '{model}': parameter '{name}' has no values")
    if all(isinstance(value, str) for value in listed):
        row["labels"], row["maximum"] = listed, len(listed) - 1
    elif all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in listed):
        numbers = [int(value) for value in listed if isinstance(value, (int, np.integer))]
        row["minimum"], row["maximum"], row["default"] = min(numbers), max(numbers), numbers[0]
    else:
        raise _core.UsageError(f"model '{model}': parameter '{name}' mixes labels and numbers, or has others than whole ones")
    return row


def _digest(kind: type) -> str:
    """Of the source; of the code where there is none, as in an interactive session."""
    try:
        text = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        code = kind.__dict__["evaluate"].__code__
        text = repr((code.co_code, code.co_consts, code.co_names))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
