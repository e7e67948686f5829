"""What Python adds to an evaluation: python python/tests/measure_overhead.py

Two figures for each model, in processor time of all threads: 100,000 designs in one call, with the share that is spent outside the
engine; and one design per call, one that the evaluator knows already, so that nothing is simulated. Figures of time differ from machine
to machine; nothing is asserted.
"""

import time

import exarch


class Timed:
    """The engine's evaluation, with the time that it took."""

    def __init__(self, evaluation):
        self.evaluation, self.seconds = evaluation, 0.0

    def evaluate(self, *arguments):
        start = time.process_time()
        result = self.evaluation.evaluate(*arguments)
        self.seconds += time.process_time() - start
        return result


def main(designs=100_000, calls=2_000):
    for env, workload, space in [("dram", {"trace": "cloud-1"}, "archgym-aco"), ("maestro", {"model": "resnet18", "layer": 2}, None)]:
        problem = exarch.Problem(env, workload, space)
        genes = problem.space.sample(designs)
        evaluator = exarch.Evaluator(env, workload)
        timed = evaluator._evaluation = Timed(evaluator._evaluation)
        start = time.process_time()
        evaluator.evaluate(genes, space=problem.space)
        seconds = time.process_time() - start
        print(f"{env}: {designs} designs: {seconds:.3f} CPU seconds, outside the engine {100 * (seconds - timed.seconds) / timed.seconds:.2f} %")
        one = [exarch.environment(env).default_design()]
        evaluator.evaluate(one)
        start = time.process_time()
        for _ in range(calls):
            evaluator.evaluate(one)
        print(f"{env}: one known design: {1e6 * (time.process_time() - start) / calls:.1f} us a call")


if __name__ == "__main__":
    main()
