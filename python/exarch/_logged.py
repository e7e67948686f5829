"""Evaluations as ArchGym's agents log them: many short searches, over the grids of hyperparameters that ArchGym ran.

    for batch in logged(problems, evaluator, "GA", rows=10_000, seed=1):
        batch.setting.agent, batch.generation, batch.genes, batch.result

The grids are those of the plan `lottery`. A search is one setting of a grid with one of the objectives and a seed of its own. Settings
come in a random order, so that any prefix of the rows has settings of all sizes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import _core
from ._evaluate import Evaluator
from ._problem import Genes, Problem
from ._result import Result
from ._search import Search


@dataclass(frozen=True)
class Setting:
    """One search."""

    label: str  #: ArchGym's name: RW, GA, ACO, BO
    agent: str  #: Exarch's name
    parameters: tuple[tuple[str, float], ...]
    population: int
    generations: int


class Batch(NamedTuple):
    """A generation of a search."""

    setting: Setting
    objective: int  #: its place among the problems
    seed: int
    generation: int
    genes: Genes
    result: Result


def _random() -> list[Setting]:
    return [Setting("RW", "random", (), 100, generations) for generations in (100, 200)]


def _genetic() -> list[Setting]:
    return [Setting("GA", "ga", (("mutation_rate", rate),), population, generations) for population, generations, rate in
            itertools.product((2, 4, 8, 16, 32, 64), (8, 16, 32, 64), (0.01, 0.05, 0.001))]


def _ants() -> list[Setting]:
    return [Setting("ACO", "aco:inverse_cost", (("evaporation", evaporation), ("greediness", greediness)), population, generations)
            for population, generations, evaporation, greediness in
            itertools.product((2, 4, 8, 16, 32, 64), (2, 4, 8, 16), (0.1, 0.25, 0.5, 0.75, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0))]


def _bayes() -> list[Setting]:
    return [Setting("BO", "bo", (), 2, evaluations // 2) for evaluations in (16, 32, 64)]


GRIDS = {"RW": _random, "GA": _genetic, "ACO": _ants, "BO": _bayes}


def grid(label: str) -> list[Setting]:
    """An agent's settings. UsageError for another name."""
    if label not in GRIDS:
        raise _core.UsageError(_core.unknown_name("agent", label, list(GRIDS)))
    return GRIDS[label]()


def logged(problems: Sequence[Problem], evaluator: Evaluator, label: str, rows: int, seed: int) -> Iterator[Batch]:
    """Searches of an agent until there are so many rows; the last generation is cut where it has too many.

    Args:
        problems: the same space and workload with one objective each; searches take them in turn.
        evaluator: of this workload. It remembers, so a design that was asked before costs nothing.
        seed: of the order of settings, and of all searches.
    """
    settings, left = grid(label), rows
    for turn in itertools.count():
        order = np.random.default_rng([seed, turn, len(settings)]).permutation(len(settings))
        for place, (k, objective) in enumerate(itertools.product(order.tolist(), range(len(problems)))):
            number = 1 + seed * 1_000_003 + turn * len(order) * len(problems) + place
            for batch in _search(problems[objective], evaluator, settings[k], objective, number):
                if len(batch.genes) > left:
                    batch = _cut(batch, evaluator, problems[objective], left)
                left -= len(batch.genes)
                if len(batch.genes):
                    yield batch
                if left == 0:
                    return


def _search(problem: Problem, evaluator: Evaluator, setting: Setting, objective: int, seed: int) -> Iterator[Batch]:
    search = Search(problem, setting.agent, population=setting.population, seed=seed, parameters=dict(setting.parameters))
    for generation in range(setting.generations):
        genes = search.ask()
        result = evaluator.evaluate(problem.space.designs(genes))
        search.tell(result)
        yield Batch(setting, objective, seed, generation, genes, result)


def _cut(batch: Batch, evaluator: Evaluator, problem: Problem, rows: int) -> Batch:
    genes = batch.genes[:rows]
    return batch._replace(genes=genes, result=evaluator.evaluate(problem.space.designs(genes)))
