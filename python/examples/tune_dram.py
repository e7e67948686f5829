"""From nothing to a tuned memory controller, and how far from the best one there is: python python/examples/tune_dram.py"""

from __future__ import annotations

import pathlib
import tempfile

import exarch


def main() -> None:
    space = {
        "PagePolicy": ["Open", "OpenAdaptive", "Closed", "ClosedAdaptive"],
        "Scheduler": ["Fifo", "FrFcfsGrp", "FrFcfs"],
        "RequestBufferSize": range(1, 9),
        "MaxActiveTransactions": [1, 2, 4, 8, 16, 32, 64, 128],
        "Arbiter": ["Simple", "Fifo", "Reorder"],
    }
    problem = exarch.Problem("dram", workload="cloud-1", space=space, objective="latency")
    report = exarch.Search(problem, "ga", population=64, seed=1).run(generations=10)
    best = report.best[0]
    print(f"default {report.baseline.cost:.0f} ps, found {best.cost:.0f} ps after {report.requested} evaluations")
    print(", ".join(f"{name}={best.design[name]}" for name in space))
    with tempfile.TemporaryDirectory() as folder:
        truth = exarch.Truth.make(problem, pathlib.Path(folder) / "truth.db")
        regret = truth.relative_regret(best.cost)[0]
        print(f"the best of all {truth.designs} designs takes {truth.optimum:.0f} ps: a regret of {100 * regret:.3f} %")


if __name__ == "__main__":
    main()
