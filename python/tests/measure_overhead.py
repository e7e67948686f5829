"""What Python adds to an evaluation: python python/tests/measure_overhead.py

Prints the time of `exarch.evaluate()` on 100,000 designs beside that of the program on the same designs' engine time, and the time of one
design per call. Figures of time differ from machine to machine; nothing is asserted.
"""

import time

import numpy as np

import exarch
from exarch import _core
from exarch._machine import machine


def seconds(call, rounds=3):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main():
    for env, workload, space in [("dram", {"trace": "cloud-1"}, "archgym-ga"), ("maestro", {"model": "resnet18", "layer": 2}, None)]:
        problem = exarch.Problem(env, workload, space)
        genes = problem.space.sample(100_000)
        designs = problem.space.designs(genes)
        loaded = exarch.Evaluator(env, workload).workload

        def engine():
            core = exarch.environment(env)._core
            _core.Evaluation(core, loaded, machine()).evaluate(designs)

        inside = seconds(engine)
        outside = seconds(lambda: exarch.evaluate(env, genes, workload=workload, space=problem.space))
        print(f"{env}: 100,000 designs: {outside:.3f} s, of them in the engine {inside:.3f} s: {100 * (outside / inside - 1):.1f} % more")
        evaluator = exarch.Evaluator(env, workload)
        one = [exarch.environment(env).default_design()]
        evaluator.evaluate(one)
        for name, call in [("Evaluator.evaluate", lambda: evaluator.evaluate(one)),
                           ("exarch.evaluate", lambda: exarch.evaluate(env, one, workload=workload))]:
            count = 500
            alone = seconds(lambda: [call() for _ in range(count)]) / count
            print(f"{env}: {name} of one known design: {1e6 * alone:.1f} us a call" +
                  (" (simulated each time)" if name == "exarch.evaluate" else ""))


if __name__ == "__main__":
    main()
