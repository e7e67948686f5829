"""Results: columns by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core, _html
from ._environment import Environment
from ._optional import need

Column = npt.NDArray[Any]


def counter_columns(env: Environment, table: npt.NDArray[np.uint64]) -> dict[str, Column]:
    """Columns of a table (counter, design) as what they are; they share its memory."""
    columns: dict[str, Column] = {counter.name: table[counter.column].view(counter.dtype) for counter in env.counters}
    return columns


@functools.lru_cache(maxsize=256)
def places_of(env: Environment) -> dict[str, tuple[bool, int, str]]:
    """Where each column is, metrics first: whether it is a metric, its row, its type. A metric hides a counter of its name."""
    places = {counter.name: (False, counter.column, counter.dtype) for counter in env.counters}
    metrics = {metric.name: (True, k, "float64") for k, metric in enumerate(env.metrics)}
    return {**metrics, **{name: place for name, place in places.items() if name not in metrics}}


class Result(Mapping[str, Column]):
    """What came of designs: a column for every metric and counter, by name; each of shape (design,).

        result["total_time_ps"]        # float64, in the metric's unit: result.units["total_time_ps"]
        result.total_time_ps           # the same
        result.ok                      # bool: which runs succeeded; metrics of others are NaN
        result.cost("latency")         # float64: what an objective makes of them, lower is better, inf where infeasible
        result.to_pandas()             # parameters, status, metrics and counters

    Columns are NumPy arrays over memory that the engine filled; nothing is copied, and they outlive the result. Other libraries take
    them by DLPack: `torch.from_dlpack(result["total_time_ps"])`.
    """

    def __init__(self, environment: Environment, designs: npt.NDArray[np.int64], status: npt.NDArray[np.uint8],
                 counters: npt.NDArray[np.uint64], metrics: npt.NDArray[np.float64], artifacts: list[str] | None = None,
                 shown: Sequence[str] | None = None, warnings: Sequence[str] = ()) -> None:
        self.environment = environment
        self.designs = designs  #: int64 (design, parameter): parameter values
        self.status = status  #: uint8 (design,): 0 = ok; environment.statuses names the others
        self.artifacts = artifacts  #: texts that come with results, of a model with any
        self.warnings = list(warnings)  #: of the workload
        self._table = metrics
        self._counter_table = counters
        # Columns are made when they are asked for: there are dozens, and one design a call should not wait for them.
        self._places = places_of(environment)
        self._names: Sequence[str] = list(self._places) if shown is None else list(shown)
        for name in self._names if shown is not None else ():
            if name not in self._places:
                raise _core.UsageError(_core.unknown_name("metric or counter", name, list(self._places)))

    # ---- columns by name

    def __getitem__(self, name: str) -> Column:
        if name not in self._names:
            raise KeyError(_core.unknown_name("metric or counter", str(name), list(self._names)))
        return self._column(*self._places[name])

    def _column(self, is_metric: bool, row: int, dtype: str) -> Column:
        column: Column = self._table[row] if is_metric else self._counter_table[row].view(dtype)
        return column

    def __getattr__(self, name: str) -> Column:
        names: Sequence[str] = self.__dict__.get("_names", ())
        if name in names:
            return self[name]
        raise AttributeError(_core.unknown_name("metric or counter", name, list(names)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names]

    @property
    def metrics(self) -> dict[str, npt.NDArray[np.float64]]:
        """The metrics among the columns."""
        return {name: self[name] for name in self._names if self._places[name][0]}

    @property
    def counters(self) -> dict[str, Column]:
        """The counters among the columns, those too that a metric of the same name hides."""
        shown = set(self._names)
        return {c.name: self._column(False, c.column, c.dtype) for c in self.environment.counters if c.name in shown}

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column."""
        units = {row.name: row.unit for row in self.environment.counters} | {row.name: row.unit for row in self.environment.metrics}
        return {name: units[name] for name in self._names}

    # ---- what they mean

    @property
    def size(self) -> int:
        """How many designs."""
        return len(self.status)

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """Which runs succeeded."""
        succeeded: npt.NDArray[np.bool_] = self.status == 0
        return succeeded

    @property
    def status_text(self) -> list[str]:
        """How each run ended, in words."""
        return [self.environment.status_text(code) for code in self.status.tolist()]

    def design(self, i: int) -> dict[str, str | int]:
        """The i-th design, by parameter."""
        values: dict[str, str | int] = _core.design_dict(self.environment._core, np.ascontiguousarray(self.designs[i]))
        return values

    def cost(self, objective: str = "") -> npt.NDArray[np.float64]:
        """What an objective (a preset's name or an expression, see `Environment.objectives`) makes of each result: lower is better,
        inf where the run failed or a constraint is broken. UsageError for what is no objective."""
        return self._score(objective)[0]

    def value(self, objective: str = "") -> npt.NDArray[np.float64]:
        """The same as the objective states it: a reward stays a reward."""
        return self._score(objective)[1]

    def _score(self, objective: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        table = np.ascontiguousarray(self._table)
        costs, values = _core.score(self.environment._core, objective, table, np.ascontiguousarray(self.status))
        return costs, values

    # ---- tables

    def parameter_columns(self) -> dict[str, Column]:
        """The designs, column by column; labels as text."""
        columns: dict[str, Column] = {}
        for p, parameter in enumerate(self.environment.parameters):
            column = self.designs[:, p]
            columns[parameter.name] = np.asarray(parameter.labels)[column] if parameter.labels else column
        return columns

    def to_pandas(self) -> Any:
        """A DataFrame: parameters (labels as categories), `status`, metrics and counters. Needs pandas."""
        pandas = need("pandas", "to_pandas()")
        columns: dict[str, Any] = {}
        for p, parameter in enumerate(self.environment.parameters):
            column = self.designs[:, p]
            columns[parameter.name] = pandas.Categorical.from_codes(column, list(parameter.labels)) if parameter.labels else column
        columns["status"] = self.status_text
        return pandas.DataFrame({**columns, **self})

    def __repr__(self) -> str:
        return f"<exarch.Result {self.environment.name}: {self.size} designs, columns {', '.join(self._names)}>"

    def _repr_html_(self) -> str:
        varied = [p.name for k, p in enumerate(self.environment.parameters) if len(np.unique(self.designs[:, k])) > 1]
        shown, parameters = min(self.size, 10), self.parameter_columns()
        metrics = list(self.metrics)
        rows = [[*(parameters[name][i] for name in varied), self.status_text[i], *(float(self[name][i]) for name in metrics)]
                for i in range(shown)]
        more = f", the first {shown}" if shown < self.size else ""
        return _html.table([*varied, "status", *metrics], rows, f"{self.environment.name}: {self.size} designs{more}")
