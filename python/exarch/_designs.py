"""Designs as Python has them, and as the engine takes them: int64 (design, parameter)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._environment import Environment

#: A list of dicts; a dict of columns; a DataFrame; an integer array (design, parameter).
DesignsLike = Union[Sequence[Mapping[str, Any]], Mapping[str, Any], npt.NDArray[Any], Any]
Ints = npt.NDArray[np.int64]


def as_designs(env: Environment, designs: DesignsLike, space: _core.Space | None = None) -> Ints:
    """Parameter values (design, parameter). Arrays are genes where there is a space, else values. UsageError for what is neither."""
    if isinstance(designs, np.ndarray):
        table = as_table(designs)
        return table if space is None else space.designs(table)
    if isinstance(designs, Mapping):
        return _from_columns(env, {str(name): np.atleast_1d(np.asarray(column)) for name, column in designs.items()})
    if hasattr(designs, "columns") and hasattr(designs, "to_numpy"):  # a DataFrame of pandas or its like
        return _from_columns(env, {str(name): np.asarray(designs[name]) for name in designs.columns})
    if isinstance(designs, Sequence) and not isinstance(designs, str):
        return _core.designs_from_dicts(env._core, designs)
    raise _core.UsageError(f"designs: expected a list of dicts, a dict of columns, a DataFrame or an integer array, got "
                           f"{type(designs).__name__}")


def as_table(values: npt.NDArray[Any]) -> Ints:
    """An integer array (row, column) as the engine takes it; a single row may have one dimension."""
    if values.dtype.kind not in "iu":
        raise _core.UsageError(f"designs: an array of {values.dtype}, expected integers")
    if values.ndim == 1:
        values = values[None, :]
    if values.ndim != 2:
        raise _core.UsageError(f"designs: an array of {values.ndim} dimensions, expected (design, parameter)")
    if values.dtype == np.uint64 and values.size and int(values.max()) > np.iinfo(np.int64).max:
        raise _core.UsageError("designs: values beyond 2^63")
    return np.ascontiguousarray(values, dtype=np.int64)


def _from_columns(env: Environment, columns: Mapping[str, npt.NDArray[Any]]) -> Ints:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise _core.UsageError(f"designs: columns of different lengths, {sorted(lengths)}")
    count = lengths.pop() if lengths else 0
    table = np.empty((count, len(env.parameters)), dtype=np.int64)
    table[:] = _core.default_design(env._core)
    for name, column in columns.items():
        place = _core.parameter_index(env._core, name)
        if column.dtype.kind in "iu" and not env.parameters[place].labels:
            table[:, place] = as_table(column[:, None])[:, 0]  # the range is checked by the engine
        else:
            table[:, place] = _parsed(env, place, column)
    return table


def _parsed(env: Environment, place: int, column: npt.NDArray[Any]) -> Ints:
    """Each different value once: there are few of them."""
    known: dict[Any, int] = {}
    values = np.empty(len(column), dtype=np.int64)
    for i, value in enumerate(column.tolist()):
        if value not in known:
            try:
                known[value] = _core.parse_value(env._core, place, value)
            except _core.UsageError as error:
                raise _core.UsageError(f"designs[{i}]: {error}") from None
        values[i] = known[value]
    return values
