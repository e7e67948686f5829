"""Stores as Parquet files, which DuckDB, pandas, Polars and Spark read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._optional import need

if TYPE_CHECKING:
    from ._environment import Environment
    from ._store import Store

#: What a search is called after, column by column: keys of its store's identity.
_RUN = {"agent": "agent", "agent_parameters": "agent parameters", "population": "population", "seed": "seed"}


def export_parquet(store: Store, path: str | os.PathLike[str], rows: int) -> int:
    """See `Store.export_parquet()`."""
    arrow, parquet = need("pyarrow", "export_parquet()"), need("pyarrow.parquet", "export_parquet()", "pyarrow")
    out = os.fspath(path)
    if os.path.exists(out) and os.path.samefile(out, store.path):
        raise _core.UsageError(f"{out} is the store itself; choose another file")
    schema = _schema(arrow, store)
    part, written = out + ".part", 0
    try:
        with parquet.ParquetWriter(part, schema, compression="zstd") as writer:

            def write(columns: dict[str, npt.NDArray[Any]]) -> None:
                nonlocal written
                writer.write_table(_table(arrow, store, schema, columns))
                written += len(columns["candidate"])

            store.for_each_chunk(write, rows)
        os.replace(part, out)
    finally:
        if os.path.exists(part):
            os.remove(part)
    return written


def _schema(arrow: Any, store: Store) -> Any:
    env, label = store.environment, label_type(arrow)
    fields = [arrow.field("workload", label), arrow.field("candidate", arrow.uint64())]
    if store.kind == "search":
        fields.append(arrow.field("generation", arrow.uint32()))
    fields += [arrow.field(name, label) for name, key in _RUN.items() if key in store.identity]
    fields += design_fields(arrow, env)
    about = {"exarch": json.dumps({"kind": store.kind, "identity": store.identity, "notes": store.notes})}
    return arrow.schema(fields, metadata=about)


def label_type(arrow: Any) -> Any:
    """Texts of which there are few."""
    return arrow.dictionary(arrow.int32(), arrow.string())


def design_fields(arrow: Any, env: Environment) -> list[Any]:
    """Fields of a design and its result: parameters, `status`, metrics, counters, artifact; with units and meanings."""
    label = label_type(arrow)
    fields = [_field(arrow, p.name, label if p.labels else arrow.int64(), p.unit, p.doc) for p in env.parameters]
    fields.append(arrow.field("status", label))
    fields += [_field(arrow, metric.name, arrow.float64(), metric.unit, metric.doc) for metric in env.metrics]
    taken = {metric.name for metric in env.metrics}
    fields += [_field(arrow, c.name, arrow.from_numpy_dtype(np.dtype(c.dtype)), c.unit, c.doc) for c in env.counters if c.name not in taken]
    if env.artifact is not None:
        fields.append(arrow.field(env.artifact, arrow.string()))
    return fields


def label_array(arrow: Any, codes: npt.NDArray[Any], labels: list[str]) -> Any:
    """A column of labels by number."""
    return arrow.DictionaryArray.from_arrays(arrow.array(codes.astype(np.int32)), arrow.array(labels, arrow.string()))


def _field(arrow: Any, name: str, kind: Any, unit: str, doc: str) -> Any:
    return arrow.field(name, kind, metadata={"unit": unit, "doc": doc})


def _table(arrow: Any, store: Store, schema: Any, columns: Mapping[str, npt.NDArray[Any]]) -> Any:
    env, count = store.environment, len(columns["candidate"])
    labels: dict[str, list[str]] = {p.name: list(p.labels) for p in env.parameters if p.labels}
    labels["workload"] = store.workloads
    labels["status"] = [env.status_text(code) for code in range(256)]
    arrays = []
    for field in schema:
        if field.name in columns:
            column = columns[field.name]
            if field.name in labels:
                arrays.append(label_array(arrow, column, labels[field.name]))
            else:
                arrays.append(arrow.array(column, type=field.type))
        else:  # the same for every row
            arrays.append(label_array(arrow, np.zeros(count), [store.identity[_RUN[field.name]]]))
    return arrow.Table.from_arrays(arrays, schema=schema)
