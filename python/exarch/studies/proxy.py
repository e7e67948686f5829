"""How good is a proxy? Random forests and gradient boosting on what agents logged, tested against every design of the space.

    frame = exarch.studies.proxy.study("cloud-1", sizes=[1000, 10_000])

    python -m exarch.studies.proxy --trace cloud-1 --sizes 1000 10000
    python -m exarch.studies.proxy --trace cloud-1 --speed

ArchGym's proxies are random forests (100 trees, labels one-hot, 80 % to train and 20 % to test, seed 123) on rows that its agents logged.
They are tested on rows of the same log. Here the result of every design is known, so a proxy is tested on the whole space as well: how far
off it is, whether it ranks designs, and how good the design is that one would build on its word.

Needs scikit-learn and pandas.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import whole
from .._environment import WorkloadLike
from .._evaluate import Evaluator
from .._logged import GRIDS, logged
from .._optional import need
from .._problem import Problem, Space, SpaceLike
from .._truth import Truth
from ._figure import draw

Floats = npt.NDArray[np.float64]

#: Rows of the data sets. The largest is the number in the name of a file that came with ArchGym's proxies (401125_all_samples); we did not
#: find ArchGym's sizes otherwise.
SIZES = (1_000, 10_000, 100_000, 401_125)
#: Where the rows come from: shares by agent. "diverse" has the three fast agents in equal parts, and Bayesian optimisation, which is slow.
MIXES: dict[str, dict[str, float]] = {"diverse": {"RW": 0.3, "GA": 0.3, "ACO": 0.3, "BO": 0.1}, **{name: {name: 1.0} for name in GRIDS}}
#: What the agents that log look for, in turn: ArchGym's three rewards.
REWARDS = ("archgym-power", "archgym-latency", "archgym-both")
_CHUNK = 65536

Said = Optional[Callable[[str], object]]


class Rows(NamedTuple):
    """A data set: designs by point number, and their costs."""

    points: npt.NDArray[np.uint64]
    costs: Floats


# ---- data


class Log:
    """What agents logged on a workload; more is logged when more is asked for."""

    def __init__(self, workload: WorkloadLike, space: SpaceLike, objective: str, seed: int, threads: int | None) -> None:
        self.problems = [Problem("dram", workload, space, reward) for reward in REWARDS]
        self.space = self.problems[0].space
        self.objective, self.seed = objective, seed
        self._evaluator = Evaluator("dram", workload, threads=threads)
        self._rows: dict[str, Rows] = {}

    def agent(self, label: str, rows: int) -> Rows:
        """The first so many rows of an agent."""
        if label not in self._rows or len(self._rows[label].points) < rows:
            points, costs = [np.empty(0, np.uint64)], [np.empty(0)]
            for batch in logged(self.problems, self._evaluator, label, rows, self.seed):
                points.append(self.space.points(batch.result.designs))
                costs.append(batch.result.cost(self.objective))
            self._rows[label] = Rows(np.concatenate(points), np.concatenate(costs))
        return Rows(self._rows[label].points[:rows], self._rows[label].costs[:rows])

    def mix(self, name: str, rows: int) -> Rows:
        """A data set: so many rows, by the shares of the mix."""
        parts = [self.agent(label, count) for label, count in _counts(name, rows).items()]
        return Rows(np.concatenate([part.points for part in parts]), np.concatenate([part.costs for part in parts]))


def _counts(name: str, rows: int) -> dict[str, int]:
    if name not in MIXES:
        raise _core.UsageError(_core.unknown_name("mix", name, list(MIXES)))
    counts = {label: round(share * rows) for label, share in MIXES[name].items()}
    first = next(iter(counts))
    counts[first] += rows - sum(counts.values())
    return counts


# ---- proxies


def encode(space: Space, designs: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Features float32 (design, feature): a label is one-hot, a number itself. A parameter of one value is left out."""
    columns: list[npt.NDArray[Any]] = []
    for p, parameter in enumerate(space.environment.parameters):
        values = space.values[parameter.name]
        if len(values) == 1:
            continue
        if parameter.labels:
            columns += [designs[:, p] == parameter.labels.index(str(label)) for label in values]
        else:
            columns.append(designs[:, p])
    return np.stack(columns, axis=1).astype(np.float32)


LEARNERS = ("forest", "boosting")


def make_learner(name: str, seed: int = 123, threads: int | None = None) -> Any:
    """An untrained proxy of scikit-learn. "forest": 100 trees. "boosting": gradient boosting over histograms, 100 iterations; to be used
    within `one_pool()`."""
    if name not in LEARNERS:
        raise _core.UsageError(_core.unknown_name("learner", name, list(LEARNERS)))
    ensemble = need("sklearn.ensemble", "exarch.studies.proxy", "scikit-learn")
    if name == "forest":
        return ensemble.RandomForestRegressor(n_estimators=100, random_state=seed, n_jobs=threads or -1)
    return ensemble.HistGradientBoostingRegressor(random_state=seed)


def one_pool(threads: int | None) -> Any:
    """A context in which scikit-learn's OpenMP has so many threads; None: one. Its threads wait for each other by spinning. Where other
    programs need the cores, two of them can be a hundred times slower than one."""
    control = need("threadpoolctl", "exarch.studies.proxy", "scikit-learn")
    return control.threadpool_limits(limits=threads or 1, user_api="openmp")


def _chunks(space: Space) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """All designs of the space, some at a time, with the number of the first."""
    for first in range(0, space.size, _CHUNK):
        points = np.arange(first, min(first + _CHUNK, space.size), dtype=np.uint64)
        yield first, space.designs(space.genes(points))


def predict_space(space: Space, model: Any) -> Floats:
    """What a proxy says of every design, by point number."""
    said = np.empty(space.size)
    for first, designs in _chunks(space):
        said[first:first + len(designs)] = model.predict(encode(space, designs))
    return said


def errors(said: Floats, true: Floats) -> dict[str, float]:
    """How far predictions are off: in percent the root of the mean squared error over the mean and over the range, and the worst error over
    its true value; the rank correlation (Spearman)."""
    stats = need("scipy.stats", "exarch.studies.proxy", "scikit-learn")
    known = np.isfinite(true)
    said, true = said[known], true[known]
    rmse = float(np.sqrt(np.mean((said - true) ** 2)))
    spread = float(np.ptp(true)) or float("nan")  # a constant has no range
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"rmse_mean_pct": 100 * rmse / abs(float(np.mean(true))), "rmse_range_pct": 100 * rmse / spread,
                "worst_pct": 100 * float(np.max(np.abs((said - true) / true))), "rank": _spearman(stats, said, true)}


def _spearman(stats: Any, said: Floats, true: Floats) -> float:
    if np.ptp(said) == 0 or np.ptp(true) == 0:
        return float("nan")  # a constant has no ranks
    return float(stats.spearmanr(said, true).statistic)


def picked(said: Floats, truth: Truth, costs: Floats, count: int = 100) -> tuple[float, float]:
    """The relative regret in percent of the design that a proxy likes best (the mean, if it likes several equally), and of the best of the
    so many that it likes best, once these are simulated."""
    best = costs[said == said.min()]
    few = costs[np.argsort(said, kind="stable")[:count]]
    return 100 * float(truth.relative_regret(best).mean()), 100 * float(truth.relative_regret(few.min())[0])


# ---- the study


def study(workload: WorkloadLike = "cloud-1", *, space: SpaceLike = "archgym-aco", objective: str = "latency",
          sizes: Sequence[int] = SIZES, mixes: Sequence[str] = ("diverse", "ACO"), learners: Sequence[str] = LEARNERS, seed: int = 1,
          truth: str | os.PathLike[str] = "", threads: int | None = None, said: Said = None) -> Any:
    """Trains a proxy for every mix, size and learner, and tests each on its hold-out and on the whole space.

    Args:
        workload: one trace of the environment `dram`.
        space: small enough for a truth.
        objective: what proxies predict: its cost. Example: "latency", the total time.
        sizes: rows of the data sets, at least 10. Smaller ones are the beginnings of larger ones.
        mixes: names of `MIXES`.
        seed: of the agents. The split and the proxies have ArchGym's, 123.
        truth: a store of the truth about this space and workload, made where it does not exist; "": a temporary one.
        said: called with a line of text as the study goes on.

    Returns:
        A DataFrame, a row for each proxy:

        - `mix`, `rows`, `different` (designs), `learner`
        - `known_pct`: hold-out rows whose design is among those trained on
        - `holdout_*` and `space_*`: see `errors()`
        - `pick_regret_pct`, `pick100_regret_pct`: see `picked()`; `log_regret_pct`: of the best design in the data
        - `fit_s`; `predict_us`: microseconds per design, over the whole space

    Raises:
        UsageError: for unknown names and sizes that make no sense. ImportError: without scikit-learn or pandas.
    """
    pandas = need("pandas", "exarch.studies.proxy")
    need("sklearn", "exarch.studies.proxy", "scikit-learn")
    sizes = sorted(whole("sizes", size, 10, 100_000_000) for size in sizes)
    for mix in mixes:
        _counts(mix, 100)
    for learner in learners:
        make_learner(learner)
    log = Log(workload, space, objective, seed, threads)
    with tempfile.TemporaryDirectory() as folder:
        where = truth or os.path.join(folder, "truth.db")
        known = Truth.make(Problem("dram", workload, space, objective), where, threads=threads)
        known = Truth(known.store, objective=objective)
        costs = known.costs()
        rows = []
        for mix in mixes:
            log.mix(mix, max(sizes))  # logged once
            for size, learner in itertools.product(sizes, learners):
                with one_pool(threads):
                    rows.append(_one(log, mix, size, learner, known, costs, threads))
                if said is not None:
                    said(f"{mix}, {size} rows, {learner}: {rows[-1]['space_rmse_mean_pct']:.3g} % of the mean")
    return pandas.DataFrame(rows)


def _one(log: Log, mix: str, size: int, learner: str, truth: Truth, costs: Floats, threads: int | None) -> dict[str, Any]:
    split = need("sklearn.model_selection", "exarch.studies.proxy", "scikit-learn").train_test_split
    data = log.mix(mix, size)
    kept = np.flatnonzero(np.isfinite(data.costs))
    train, test = split(kept, test_size=0.2, random_state=123)
    features = encode(log.space, log.space.designs(log.space.genes(data.points)))
    model = make_learner(learner, threads=threads)
    began = time.perf_counter()
    model.fit(features[train], data.costs[train])
    fitted = time.perf_counter()
    said = predict_space(log.space, model)
    ended = time.perf_counter()
    regret, regret100 = picked(said, truth, costs)
    return {
        "mix": mix, "rows": size, "different": len(np.unique(data.points)), "learner": learner,
        "known_pct": 100 * float(np.isin(data.points[test], data.points[train]).mean()),
        **{f"holdout_{name}": value for name, value in errors(model.predict(features[test]), data.costs[test]).items()},
        **{f"space_{name}": value for name, value in errors(said, costs).items()},
        "pick_regret_pct": regret, "pick100_regret_pct": regret100,
        "log_regret_pct": 100 * float(truth.relative_regret(data.costs[kept].min())[0]),
        "fit_s": fitted - began, "predict_us": 1e6 * (ended - fitted) / log.space.size,
    }


# ---- speed


def speed(workload: WorkloadLike = "cloud-1", *, space: SpaceLike = "archgym-aco", objective: str = "latency", rows: int = 100_000,
          batches: Sequence[int] = (1, 100, 10_000, 1_000_000), mix: str = "RW", seed: int = 1, threads: int | None = None) -> Any:
    """Microseconds per design, proxies (trained on so many rows) beside the engine, on random designs in batches of each size.

    Returns:
        A DataFrame, a row for each size: `batch`; `forest_us` and `boosting_us`, the encoding included; `engine_us`: a fresh evaluation
        with sharing, which knows nothing at first; `engine_again_us`: the same designs asked again; `different_runs`: simulations it took.
        The best of three, or the first if that took seconds.
    """
    pandas = need("pandas", "exarch.studies.proxy")
    log = Log(workload, space, objective, seed, threads)
    data = log.mix(mix, whole("rows", rows, 10))
    features, table = encode(log.space, log.space.designs(log.space.genes(data.points))), []
    with one_pool(threads):
        models = {name: make_learner(name, threads=threads).fit(features, data.costs) for name in LEARNERS}
        for batch in batches:
            designs = log.space.designs(log.space.sample(whole("batches", batch, 1), seed=seed + 1))
            table.append({"batch": batch, **_times(models, log.space, designs, workload, threads)})
    return pandas.DataFrame(table)


def _times(models: dict[str, Any], space: Space, designs: npt.NDArray[np.int64], workload: WorkloadLike,
           threads: int | None) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, model in models.items():
        row[f"{name}_us"] = _least(functools.partial(_predict, model, space, designs)) / len(designs)
    row["engine_us"] = _least(lambda: Evaluator("dram", workload, threads=threads).evaluate(designs)) / len(designs)
    evaluator = Evaluator("dram", workload, threads=threads)
    evaluator.evaluate(designs)
    row["engine_again_us"] = _least(lambda: evaluator.evaluate(designs)) / len(designs)
    row["different_runs"] = evaluator.simulated
    return row


def _predict(model: Any, space: Space, designs: npt.NDArray[np.int64]) -> Any:
    return model.predict(encode(space, designs))


def _least(what: Callable[[], object]) -> float:
    """Microseconds."""
    least = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        what()
        least = min(least, time.perf_counter() - began)
        if least > 3:
            break
    return 1e6 * least


# ---- the command

_EXAMPLES = """examples:
  python -m exarch.studies.proxy --sizes 1000 10000               a look, in a minute
  python -m exarch.studies.proxy --truth cloud-1.truth.db --csv proxies.csv
  python -m exarch.studies.proxy --from proxies.csv --figure proxies.svg
  python -m exarch.studies.proxy --speed --sizes 100000           microseconds per design beside the engine
"""


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exarch.studies.proxy", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EXAMPLES,
        description="Proxies (random forest, gradient boosting) on what agents logged, tested on a hold-out and on the whole space.")
    parser.add_argument("--trace", default="cloud-1", help="workload (default: cloud-1)")
    parser.add_argument("--space", default="archgym-aco", help="design space (default: archgym-aco)")
    parser.add_argument("--objective", default="latency", help="what is predicted (default: latency, the total time)")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="ROWS", help="rows of the data sets")
    parser.add_argument("--mixes", nargs="+", default=["diverse", "ACO"], metavar="MIX", help=f"of {', '.join(MIXES)}")
    parser.add_argument("--learners", nargs="+", default=list(LEARNERS), metavar="NAME", help=f"of {', '.join(LEARNERS)}")
    parser.add_argument("--seed", type=int, default=1, help="of the agents (default: 1)")
    parser.add_argument("--truth", default="", metavar="FILE", help="store of the truth, made where it does not exist")
    parser.add_argument("--threads", type=int, help="default: all")
    parser.add_argument("--csv", default="", metavar="FILE", help="write the table there, too")
    parser.add_argument("--figure", default="", metavar="FILE.svg", help="draw the table there, too (matplotlib)")
    parser.add_argument("--from", dest="given", default="", metavar="FILE", help="take the table of an earlier --csv, instead of a study")
    parser.add_argument("--speed", action="store_true", help="measure speed only, of proxies on as many rows as the first of --sizes")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    options = _arguments().parse_args(arguments)
    try:
        if options.given:
            frame = need("pandas", "exarch.studies.proxy").read_csv(options.given)
        elif options.speed:
            frame = speed(options.trace, space=options.space, objective=options.objective, rows=options.sizes[0], mix=options.mixes[0],
                          seed=options.seed, threads=options.threads)
        else:
            frame = study(options.trace, space=options.space, objective=options.objective, sizes=options.sizes, mixes=options.mixes,
                          learners=options.learners, seed=options.seed, truth=options.truth, threads=options.threads,
                          said=lambda line: print(line, file=sys.stderr, flush=True))
        if options.csv:
            frame.to_csv(options.csv, index=False)
        if options.figure:
            draw(frame, options.figure)
    except (_core.UsageError, _core.Error, ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, _core.UsageError) else 1
    print(frame.to_string(index=False, float_format=lambda number: f"{number:.4g}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
