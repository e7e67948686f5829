"""Data sets of the DRAM controller, as ArchGym meant to publish them: complete, exact, with units, and made by one command.

    from exarch import dataset

    dataset.make_space("dram-space")                       # every design on every trace: 7,077,888 rows
    dataset.make_agents("dram-agents", rows=25_000)        # what random walker, GA, ACO and BO logged

    python -m exarch.dataset space dram-space
    python -m exarch.dataset agents dram-agents --rows 25000

A folder has `data/*.parquet`, a datacard (README.md) and croissant.json. Rows are streamed, so memory does not grow with a data set. A
part of it that is there is not made again: a command that was ended goes on. Needs pyarrow.

`write_minari()` makes a data set of Minari from a store. `read_archgym()` and `write_archgym()` translate from and to the rows that ArchGym's agents log.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional

import numpy as np

from .. import _core
from .._checks import whole
from .._evaluate import Evaluator
from .._logged import GRIDS, Batch, grid, logged
from .._problem import Problem
from . import _card, _parts
from ._archgym import read_archgym, write_archgym
from ._minari import write_minari

#: ArchGym's traces, of 10,000 requests each.
TRACES = ("stream", "random", "cloud-1", "cloud-2")
#: The space of ArchGym's ant colony: 1,769,472 designs.
SPACE = "archgym-aco"
#: What agents look for, in turn.
REWARDS = ("archgym-power", "archgym-latency", "archgym-both")
_CHUNK = 65536

#: Called with (rows done, rows in all).
Progress = Optional[Callable[[int, int], object]]


def make_space(folder: str | os.PathLike[str], *, traces: Sequence[str] = TRACES, space: str = SPACE, limit: int = 0,
               part_rows: int = 4 * _CHUNK, threads: int | None = None, progress: Progress = None) -> int:
    """The result of every design of a space on every trace.

    Args:
        folder: made, or continued if it holds the same data set.
        limit: only the first so many designs; 0: all.
        part_rows: rows of a file.
        progress: called after every part.

    Returns:
        How many rows the data set has. `point` numbers designs as `Space.points()` does.

    Raises:
        UsageError: for unknown names, or a folder of another data set. KeyboardInterrupt: finished parts stay.
    """
    whole("part_rows", part_rows, 1)
    problems = {trace: Problem("dram", trace, space) for trace in _different(traces)}
    size = next(iter(problems.values())).space.size
    count = min(whole("limit", limit, 0) or size, size)
    about = {**_card.about("space", traces, space), "limit": count if count < size else 0}
    leading = [_parts.label_field("trace", "workload"), _parts.number_field("point", "uint32", "number of the design in its space")]
    data, done = _data_folder(folder), 0
    for trace, problem in problems.items():
        plan, evaluator = _parts.schema(problem.environment, leading, about), Evaluator("dram", trace, threads=threads)
        for number, (begin, end) in enumerate(_parts.spans(count, part_rows)):
            path = data / f"{trace}-{number:05}.parquet"
            if not _parts.is_made(path, plan):
                _parts.write(path, plan, _space_tables(problem, evaluator, plan, trace, begin, end))
            done += end - begin
            if progress is not None:
                progress(done, count * len(problems))
    _card.write(pathlib.Path(folder), about, done)
    return done


def _space_tables(problem: Problem, evaluator: Evaluator, plan: Any, trace: str, begin: int, end: int) -> Iterator[Any]:
    for first, last in _parts.spans(end, _CHUNK, begin):
        points = np.arange(first, last, dtype=np.uint64)
        result = evaluator.evaluate(problem.space.designs(problem.space.genes(points)))
        yield _parts.table(plan, result, {"trace": (np.zeros(len(points)), [trace]), "point": points})


def make_agents(folder: str | os.PathLike[str], *, rows: int = 25_000, agents: Sequence[str] = tuple(GRIDS),
                traces: Sequence[str] = TRACES, space: str = SPACE, seed: int = 1, threads: int | None = None,
                progress: Progress = None) -> int:
    """What agents asked, and what they were told: so many rows of each agent on each trace.

    Every agent goes through ArchGym's grid of hyperparameters, for ArchGym's three rewards in turn, in an order and with seeds that follow
    from `seed`. For an ACO-only data set, take `agents=["ACO"]`, or the rows whose `agent` is ACO.

    Returns, raises: as `make_space()`.
    """
    whole("rows", rows, 1)
    whole("seed", seed, 0, 1_000_000)
    for agent in _different(agents):
        grid(agent)
    about = {**_card.about("agents", traces, space), "rows": rows, "agents": list(agents), "seed": seed}
    data, done = _data_folder(folder), 0
    for trace in _different(traces):
        problems, evaluator = [Problem("dram", trace, space, reward) for reward in REWARDS], Evaluator("dram", trace, threads=threads)
        plan = _parts.schema(evaluator.environment, _agent_fields(), about)
        for agent in agents:
            path = data / f"{agent.lower()}-{trace}.parquet"
            if not _parts.is_made(path, plan):
                _parts.write(path, plan, _agent_tables(logged(problems, evaluator, agent, rows, seed), evaluator, plan, trace))
            done += rows
            if progress is not None:
                progress(done, rows * len(agents) * len(traces))
    _card.write(pathlib.Path(folder), about, done)
    return done


def _agent_fields() -> list[Any]:
    label, number = _parts.label_field, _parts.number_field
    return [label("trace", "workload"), label("agent", "ArchGym's name of the agent"), label("variant", "Exarch's name of the agent"),
            label("hyperparameters", "the agent's settings"), label("reward", "objective of the search"),
            number("population", "uint32", "candidates per generation"), number("generations", "uint32", "length of the search"),
            number("seed", "uint64", "seed of the search"), number("generation", "uint32", "generation of the row, from 0")]


def _agent_tables(batches: Iterator[Batch], evaluator: Evaluator, plan: Any, trace: str) -> Iterator[Any]:
    """Generations are small; a table has many."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch.genes)
        if rows >= _CHUNK:
            yield _agent_table(waiting, evaluator, plan, trace)
            waiting, rows = [], 0
    if waiting:
        yield _agent_table(waiting, evaluator, plan, trace)


def _agent_table(batches: list[Batch], evaluator: Evaluator, plan: Any, trace: str) -> Any:
    lengths = [len(batch.genes) for batch in batches]
    result = evaluator.evaluate(np.concatenate([batch.result.designs for batch in batches]))  # known already

    def texts(values: list[str]) -> tuple[Any, list[str]]:
        labels = sorted(set(values))
        return np.repeat([labels.index(value) for value in values], lengths), labels

    settings = [batch.setting for batch in batches]
    return _parts.table(plan, result, {
        "trace": texts([trace] * len(batches)), "agent": texts([one.label for one in settings]),
        "variant": texts([one.agent for one in settings]),
        "hyperparameters": texts([", ".join(f"{name}={value}" for name, value in one.parameters) for one in settings]),
        "reward": texts([REWARDS[batch.objective] for batch in batches]),
        "population": np.repeat([one.population for one in settings], lengths),
        "generations": np.repeat([one.generations for one in settings], lengths),
        "seed": np.repeat([batch.seed for batch in batches], lengths),
        "generation": np.repeat([batch.generation for batch in batches], lengths),
    })


def _different(names: Sequence[str]) -> Sequence[str]:
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise _core.UsageError(f"{names!r}: expected a list of different names")
    return names


def _data_folder(folder: str | os.PathLike[str]) -> pathlib.Path:
    data = pathlib.Path(folder) / "data"
    data.mkdir(parents=True, exist_ok=True)
    return data


__all__ = ["REWARDS", "SPACE", "TRACES", "make_agents", "make_space", "read_archgym", "write_archgym"]
