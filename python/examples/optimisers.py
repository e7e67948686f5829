"""Optimisers of others on Exarch, and their regret: python python/examples/optimisers.py

Optuna, pymoo, Nevergrad and BoTorch, each in its own way of asking and telling, in batches: a generation is one evaluation. Those that are not
installed are left out.
"""

from __future__ import annotations

import importlib.util
import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import exarch

Costs = Callable[[npt.ArrayLike], npt.NDArray[np.float64]]


def optuna_tpe(space: exarch.Space, costs: Costs, generations: int, population: int) -> float:
    """Optuna's default sampler."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    choices = {name: optuna.distributions.IntDistribution(0, len(values) - 1) for name, values in space.values.items()}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1, constant_liar=True))
    for _ in range(generations):
        trials = [study.ask(dict(choices)) for _ in range(population)]
        for trial, cost in zip(trials, costs([[trial.params[name] for name in choices] for trial in trials])):
            study.tell(trial, float(cost))
    return float(study.best_value)


def pymoo_ga(space: exarch.Space, costs: Costs, generations: int, population: int) -> float:
    """pymoo's genetic algorithm on whole numbers."""
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    class Designs(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=len(space.nvec), n_obj=1, xl=0, xu=space.nvec - 1, vtype=int)

        def _evaluate(self, x: npt.NDArray[np.int64], out: dict[str, npt.NDArray[np.float64]]) -> None:
            out["F"] = costs(x)[:, None]

    repair = RoundingRepair()
    algorithm = GA(pop_size=population, sampling=IntegerRandomSampling(), crossover=SBX(vtype=float, repair=repair),
                   mutation=PM(vtype=float, repair=repair))
    return float(minimize(Designs(), algorithm, ("n_gen", generations), seed=1).F[0])


def nevergrad_one_plus_one(space: exarch.Space, costs: Costs, generations: int, population: int) -> float:
    """Nevergrad's discrete (1+1)."""
    import nevergrad

    choices = nevergrad.p.Tuple(*(nevergrad.p.TransitionChoice(range(int(n))) for n in space.nvec))
    choices.random_state.seed(1)
    optimiser = nevergrad.optimizers.DiscreteOnePlusOne(choices, budget=generations * population, num_workers=population)
    best = np.inf
    for _ in range(generations):
        asked = [optimiser.ask() for _ in range(population)]
        values = costs([candidate.value for candidate in asked])
        best = min(best, float(values.min()))
        for candidate, cost in zip(asked, values):
            optimiser.tell(candidate, float(cost))
    return best


def botorch_thompson(space: exarch.Space, costs: Costs, generations: int, population: int) -> float:
    """BoTorch's Gaussian process; a batch is drawn from it by Thompson sampling among designs at random."""
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.generation import MaxPosteriorSampling
    from botorch.models import SingleTaskGP
    from botorch.utils import standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.manual_seed(1)
    scale = np.maximum(space.nvec - 1, 1)
    genes = space.sample(population, seed=1)
    values = costs(genes)
    for generation in range(1, generations):
        inputs, targets = torch.tensor(genes / scale), standardize(torch.tensor(-values)[:, None])
        model = SingleTaskGP(inputs, targets)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        candidates = torch.tensor(space.sample(1000, seed=1 + generation) / scale)
        with torch.no_grad():
            chosen = MaxPosteriorSampling(model, replacement=False)(candidates, num_samples=population)
        asked = np.rint(chosen.numpy() * scale).astype(np.uint16)
        genes, values = np.concatenate([genes, asked]), np.concatenate([values, costs(asked)])
    return float(values.min())


OPTIMISERS = {"optuna": optuna_tpe, "pymoo": pymoo_ga, "nevergrad": nevergrad_one_plus_one, "botorch": botorch_thompson}


def main(generations: int = 10, population: int = 32) -> dict[str, float]:
    """Regrets, relative to the optimum of the space."""
    space = {
        "PagePolicy": ["Open", "OpenAdaptive", "Closed", "ClosedAdaptive"],
        "Scheduler": ["Fifo", "FrFcfsGrp", "FrFcfs"],
        "RequestBufferSize": range(1, 9),
        "MaxActiveTransactions": [1, 2, 4, 8, 16, 32, 64, 128],
        "Arbiter": ["Simple", "Fifo", "Reorder"],
    }
    problem = exarch.Problem("dram", workload="cloud-1", space=space, objective="latency")
    evaluator = exarch.Evaluator("dram", "cloud-1")

    def costs(genes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return evaluator.evaluate(problem.space.designs(genes)).cost("latency")

    found = {name: call(problem.space, costs, generations, population) for name, call in OPTIMISERS.items()
             if importlib.util.find_spec(name) is not None}
    found["exarch ga"] = exarch.Search(problem, "ga", population=population).run(generations).best[0].cost
    with tempfile.TemporaryDirectory() as folder:
        truth = exarch.Truth.make(problem, pathlib.Path(folder) / "truth.db")
        regrets = {name: float(truth.relative_regret(cost)[0]) for name, cost in found.items()}
    for name, regret in regrets.items():
        print(f"{name}: regret {100 * regret:.3f} % after {generations * population} evaluations")
    return regrets


if __name__ == "__main__":
    main()
