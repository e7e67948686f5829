"""Parts of a data set: Parquet files of so many rows, each complete or absent, made once."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import _core
from .._optional import need
from .._parquet import design_fields, label_array, label_type
from .._result import Result

WHAT = "exarch.dataset"


def arrow() -> Any:
    """pyarrow."""
    return need("pyarrow", WHAT)


def parquet() -> Any:
    """pyarrow.parquet."""
    return need("pyarrow.parquet", WHAT, "pyarrow")


def schema(env: Any, leading: Iterable[Any], about: Mapping[str, Any]) -> Any:
    """Fields before a design's own, and what the data set is, for the metadata of the file."""
    return arrow().schema([*leading, *design_fields(arrow(), env)], metadata={"exarch": json.dumps(dict(about), sort_keys=True)})


def table(plan: Any, result: Result, leading: Mapping[str, Any]) -> Any:
    """A table of results. Leading columns are arrays, or (codes, labels)."""
    env, columns = result.environment, dict(leading)
    columns |= {p.name: (result.designs[:, k], list(p.labels)) if p.labels else result.designs[:, k] for k, p in enumerate(env.parameters)}
    columns["status"] = (result.status, [env.status_text(code) for code in range(256)])
    columns |= {**result.counters, **result.metrics}
    arrays = [label_array(arrow(), *columns[field.name]) if isinstance(columns[field.name], tuple)
              else arrow().array(columns[field.name], type=field.type) for field in plan]
    return arrow().Table.from_arrays(arrays, schema=plan)


def label_field(name: str, doc: str) -> Any:
    """A leading column of few texts."""
    return arrow().field(name, label_type(arrow()), metadata={"doc": doc})


def number_field(name: str, dtype: str, doc: str) -> Any:
    """A leading column of whole numbers."""
    return arrow().field(name, arrow().from_numpy_dtype(np.dtype(dtype)), metadata={"doc": doc})


def is_made(path: pathlib.Path, plan: Any) -> bool:
    """Whether the part is there already. UsageError if it is of another data set."""
    if not path.exists():
        return False
    try:
        there = parquet().read_schema(path)
    except (OSError, ValueError) as error:
        raise _core.Error(f"{path}: not a Parquet file ({error}); remove it") from error
    if not there.equals(plan, check_metadata=True):
        raise _core.UsageError(f"{path} is of another data set (or of another version of Exarch); choose another folder")
    return True


def write(path: pathlib.Path, plan: Any, tables: Iterable[Any]) -> int:
    """Writes a part, which appears when it is complete. Returns its rows."""
    partial, rows = path.with_name(path.name + ".part"), 0
    try:
        with parquet().ParquetWriter(partial, plan, compression="zstd") as writer:
            for one in tables:
                writer.write_table(one)
                rows += one.num_rows
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def spans(total: int, step: int, first: int = 0) -> list[tuple[int, int]]:
    """(begin, end) of pieces of so many."""
    return [(begin, min(begin + step, total)) for begin in range(first, total, step)]
