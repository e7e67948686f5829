"""ArchGym's own rows: what its agents log, one text line per step.

    1.6,"{'PagePolicy': 'Open', 'Scheduler': 'FrFcfs', ...}",[[0.0213 0.371 57.2]]

A reward, the design as a dict, and energy (mJ), power (W) and latency. As a table they are columns: Reward, the parameters in alphabetical
order, Energy, Power, Latency.
"""

from __future__ import annotations

import ast
import csv
import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .. import _core
from . import _parts

_FIGURES = ("Energy", "Power", "Latency")
_LINE = re.compile(r'\s*(?P<reward>[^,{"]+?)\s*,\s*"?\s*(?P<action>\{.*\})\s*"?\s*,\s*"?\s*(?P<figures>\[.*\])\s*"?\s*')
_ROWS = 65536


def read_archgym(path: str | os.PathLike[str], out: str | os.PathLike[str]) -> int:
    """Rows of ArchGym as a Parquet file with the columns Reward, parameters, Energy, Power, Latency. Numbers are taken as they stand.

    Returns how many rows there are. Error, with the line's number, for what is no such row.
    """
    rows, plan = _rows_of(pathlib.Path(path)), None
    try:
        first = next(rows)
    except StopIteration:
        raise _core.Error(f"{path}: no rows") from None
    plan = _plan(first)

    def tables() -> Iterator[Any]:
        waiting = [first]
        for row in rows:
            waiting.append(row)
            if len(waiting) == _ROWS:
                yield _table(plan, waiting, path)
                waiting = []
        if waiting:
            yield _table(plan, waiting, path)

    return _parts.write(pathlib.Path(out), plan, tables())


def _rows_of(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    names: Optional[list[str]] = None
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() == "":
                continue
            row = _row(line, f"{path}:{number}")
            if names is not None and list(row) != names:
                raise _core.Error(f"{path}:{number}: other parameters than in the lines before")
            names = list(row)
            yield row


def _row(line: str, where: str) -> dict[str, Any]:
    found = _LINE.fullmatch(line.rstrip("\n"))
    if found is None:
        raise _core.Error(f"{where}: expected reward, {{action}}, [[energy, power, latency]]")
    try:
        action = ast.literal_eval(found["action"].replace('""', '"'))
        figures = [float(text) for text in found["figures"].replace("[", " ").replace("]", " ").replace(",", " ").split()]
        reward = float(found["reward"].strip("[] "))
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _core.Error(f"{where}: {error}") from None
    if not isinstance(action, dict) or not all(isinstance(name, str) and isinstance(v, (str, int, float)) for name, v in action.items()):
        raise _core.Error(f"{where}: the action is no dict of parameters")
    if len(figures) != len(_FIGURES):
        raise _core.Error(f"{where}: {len(figures)} figures, expected energy, power and latency")
    return {"Reward": reward, **{name: action[name] for name in sorted(action)}, **dict(zip(_FIGURES, figures))}


def _plan(row: Mapping[str, Any]) -> Any:
    arrow = _parts.arrow()
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    return arrow.schema([arrow.field(name, kinds[type(value)]) for name, value in row.items()])


def _table(plan: Any, rows: list[dict[str, Any]], path: str | os.PathLike[str]) -> Any:
    arrow = _parts.arrow()
    try:
        return arrow.Table.from_pylist(rows, schema=plan)
    except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
        raise _core.Error(f"{os.fspath(path)}: a parameter that is a number in one line and a text in another ({error})") from None


def write_archgym(parts: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], *, reward: str = "power",
                  units: str = "archgym") -> int:
    """Rows of a data set of Exarch (Parquet files) as ArchGym's agents would have logged them. Returns how many there are.

    Args:
        reward: "power", "latency" or "both", ArchGym's formulations.
        units: "archgym": the latency as ArchGym's parser reads it, without its unit; "fixed": in milliseconds.
    """
    if reward not in ("power", "latency", "both") or units not in ("archgym", "fixed"):
        raise _core.UsageError(f"reward '{reward}', units '{units}': expected power, latency or both, and archgym or fixed")
    path, rows = pathlib.Path(out), 0
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for part in parts:
                for batch in _batches(part):
                    rows += _write_batch(writer, batch, reward, units)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return rows


#: In ArchGym's order.
_PARAMETERS = ("PagePolicy", "Scheduler", "SchedulerBuffer", "RequestBufferSize", "RespQueue", "RefreshPolicy", "RefreshMaxPostponed",
               "RefreshMaxPulledin", "Arbiter", "MaxActiveTransactions")
_METRICS = ("total_energy_pj", "archgym_power", "archgym_latency", "total_time_ps")


def _batches(part: str | os.PathLike[str]) -> Iterator[dict[str, list[Any]]]:
    arrow, parquet = _parts.arrow(), _parts.parquet()
    try:
        file = parquet.ParquetFile(part)
    except arrow.ArrowInvalid as error:
        raise _core.Error(f"{os.fspath(part)}: not a Parquet file ({error})") from None
    missing = [name for name in (*_PARAMETERS, *_METRICS) if name not in file.schema_arrow.names]
    if missing:
        raise _core.UsageError(f"{os.fspath(part)} lacks {', '.join(missing)}; expected a data set of the environment dram")
    with file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=[*_PARAMETERS, *_METRICS]):
            yield batch.to_pydict()


def _write_batch(writer: Any, columns: Mapping[str, list[Any]], reward: str, units: str) -> int:
    latency = np.array(columns["archgym_latency"] if units == "archgym" else columns["total_time_ps"])
    seen = np.stack([np.round(np.array(columns["total_energy_pj"]), 2) / 1e9, np.array(columns["archgym_power"]),
                     latency if units == "archgym" else latency / 1e9], axis=1)
    rewards, shown = _rewards(seen, reward).astype(np.float32), seen.astype(np.float32)
    for i, action in enumerate(zip(*(columns[name] for name in _PARAMETERS))):
        figures = " ".join(str(figure) for figure in shown[i])
        writer.writerow([str(rewards[i]), str(dict(zip(_PARAMETERS, action))), f"[[{figures}]]"])
    return len(shown)


def _rewards(seen: npt.NDArray[np.float64], reward: str) -> npt.NDArray[np.float64]:
    """As `exarch.archgym` has them: target / |target - value|."""
    with np.errstate(divide="ignore"):
        power, latency = 1.0 / np.abs(seen[:, 1] - 1.0), 0.1 / np.abs(seen[:, 2] - 0.1)
    both: npt.NDArray[np.float64] = power * latency
    return {"power": power, "latency": latency, "both": both}[reward]
