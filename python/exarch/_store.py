"""Run stores opened for reading, and reports."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core, _html
from ._checks import whole
from ._environment import environment
from ._listener import Listener
from ._optional import need
from ._parquet import export_parquet
from ._problem import Space
from ._result import counter_columns
from ._search import FoundDesign, found_design


class Store:
    """A store of a search or a sweep, made here or by the command line, finished or still growing.

        store = exarch.open_store("run.db")
        store.to_pandas()                   # one row per evaluation
        store.best(5)                       # the lines of `exarch best`
        store.report("run.html")            # the page of `exarch report`

    Attributes: `kind` ("search" or "sweep"), `environment`, `space`, `workloads` (names), `objective` (that it is looked at by),
    `identity` (all that makes this run this run) and `notes` (machine, version).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        about: dict[str, Any] = self._open().about()
        self.environment = environment(about["environment"])
        self.kind: str = about["kind"]
        self.workloads: list[str] = about["workloads"]
        self.objective: str = about["objective"]
        self.identity: dict[str, str] = dict(about["identity"])
        self.notes: dict[str, str] = dict(about["notes"])
        self.space = Space(self.environment, _core.space_from_json(self.environment._core, about["space"]))

    def _open(self) -> _core.StoreReader:
        """For one look at it: an open store is in the way of whoever writes it."""
        return _core.StoreReader(self.path, _Quiet())

    def workload_number(self, workload: str | int) -> int:
        """A workload's place in the store, by name or number."""
        if isinstance(workload, int):
            return workload
        if workload not in self.workloads:
            raise _core.UsageError(_core.unknown_name("workload", workload, self.workloads))
        return self.workloads.index(workload)

    def for_each_chunk(self, visit: Callable[[dict[str, npt.NDArray[Any]]], object], rows: int = 65536) -> None:
        """Calls visit(columns) for so many evaluations at a time, in order, so that a store of any size needs little memory.

        Columns, each (row,): `workload` (number), `candidate`, of a search `generation`, the parameters (labels by number), `status`,
        metrics (NaN where the run failed), counters.
        """
        generation = self._generation_of()

        def hand_over(raw: tuple[Any, ...]) -> None:
            workload, candidate, status, designs, counters, metrics, artifacts = raw
            env = self.environment
            columns: dict[str, npt.NDArray[Any]] = {"workload": workload, "candidate": candidate}
            if generation is not None:
                columns["generation"] = generation[candidate.astype(np.int64)]
            columns.update({p.name: designs[:, k] for k, p in enumerate(env.parameters)})
            columns["status"] = status
            columns.update({metric.name: metrics[:, k] for k, metric in enumerate(env.metrics)})
            counted = counter_columns(env, np.ascontiguousarray(counters.T))
            columns.update({name: column for name, column in counted.items() if name not in columns})
            if artifacts is not None and env.artifact is not None:
                columns[env.artifact] = np.array(artifacts, dtype=object)
            visit(columns)

        self._open().for_each_chunk(whole("rows", rows, 1), hand_over)

    def _generation_of(self) -> npt.NDArray[np.uint32] | None:
        if self.kind != "search":
            return None
        rows = self._open().generations()
        return np.repeat(np.array([row[0] for row in rows], np.uint32), [row[1] for row in rows])

    def generations(self) -> Iterator[tuple[int, int, int, npt.NDArray[np.float64]]]:
        """Of a search: (generation, evaluations so far, simulated so far, costs (candidate, objective))."""
        for generation, _, requested, simulated, costs in self._open().generations():
            yield generation, requested, simulated, costs

    def to_pandas(self) -> Any:
        """All evaluations as a DataFrame: workload, candidate, generation (of a search), parameters (labels as categories), status,
        metrics and counters. Needs pandas, and memory for all of it; `for_each_chunk()` needs little."""
        pandas = need("pandas", "to_pandas()")
        chunks: list[dict[str, npt.NDArray[Any]]] = []
        self.for_each_chunk(chunks.append)
        if not chunks:
            return pandas.DataFrame()
        columns: dict[str, Any] = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        named = {p.name: p.labels for p in self.environment.parameters if p.labels}
        named["workload"] = tuple(self.workloads)
        for name, labels in named.items():
            columns[name] = pandas.Categorical.from_codes(columns[name].astype(np.int64), list(labels))
        texts = {code: self.environment.status_text(code) for code in np.unique(columns["status"]).tolist()}
        columns["status"] = pandas.Categorical([texts[code] for code in columns["status"].tolist()])
        return pandas.DataFrame(columns)

    def export_parquet(self, path: str | os.PathLike[str], *, rows: int = 65536) -> int:
        """Writes all evaluations into a Parquet file, so many rows at a time; returns how many there are.

        A row has the workload, candidate, generation, agent, its hyperparameters, population and seed (of a search), the design, status,
        metrics and counters. Units and meanings are in the metadata of the columns, what identifies the run is in that of the file.
        Needs pyarrow, and memory for so many rows. The file appears when it is complete.
        """
        return export_parquet(self, path, rows)

    def best(self, lines: int = 10, objective: str = "", workload: str | int = 0) -> list[FoundDesign]:
        """The best designs of a workload; designs of one result are one line. `objective`: "": the store's own."""
        whole("lines", lines, 1, 1_000_000)
        rows = self._open().best(self.workload_number(workload), objective, lines)
        return [found_design(self.environment, {**row, "status": 0, "values": [row["value"]]}) for row in rows]

    def report(self, path: str | os.PathLike[str], *, truth: str | os.PathLike[str] = "", objective: str = "", top: int = 30) -> str:
        """Writes the page of `exarch report`: one HTML file, readable offline. Returns its path."""
        return report(self.path, path, truth=truth, objective=objective, top=top)

    def __repr__(self) -> str:
        return f"<exarch.Store {self.path}: {self.kind} of {self.environment.name} on {', '.join(self.workloads)}>"

    def _repr_html_(self) -> str:
        """The report itself, in a frame."""
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_core.Error):
            path = self.report(os.path.join(folder, "report.html"))
            with open(path, encoding="utf-8") as file:
                return _html.frame(file.read())
        return _html.table(["", ""], list(self.identity.items()), repr(self))


class _Quiet:
    """A store's warnings were said when it was made."""


def open_store(path: str | os.PathLike[str]) -> Store:
    """Opens a run store for reading. Error for what is none, is of another model version, or about workloads whose files have
    changed."""
    return Store(path)


def report(store: str | os.PathLike[str], path: str | os.PathLike[str], *, truth: str | os.PathLike[str] = "", objective: str = "",
           top: int | None = None) -> str:
    """Writes the page of `exarch report` about a store of a search, a sweep or a study. Returns its path.

    Args:
        truth: a truth store, whose optimum and Pareto front are shown beside a search.
        objective: a preset or an expression; "": the store's own.
        top: best designs in the parallel coordinates.
    """
    arguments = [os.fspath(store), f"--out={os.fspath(path)}"]
    if truth:
        arguments.append(f"--truth={os.fspath(truth)}")
    if objective:
        arguments.append(f"--objective={objective}")
    if top is not None:
        arguments.append(f"--top={top}")
    _core.report(arguments)
    return os.fspath(path)


__all__ = ["Listener", "Store", "open_store", "report"]
