"""Evaluation from Python: equal to the command line, whatever designs are written as; errors; Ctrl-C."""

import csv
import io
import json
import os
import threading

import numpy as np
import pandas
import pytest
from conftest import command_json, command_line

import exarch

DESIGNS = [{"PagePolicy": "Open"}, {"PagePolicy": "Closed", "MaxActiveTransactions": 1}, {"Scheduler": "Fifo", "RequestBufferSize": 8}]


def test_the_contract():
    result = exarch.evaluate("dram", [{"PagePolicy": "Open", "Scheduler": "FrFcfs"}, {}], workload={"trace": "cloud-1"})
    assert result["total_time_ps"].shape == (2,)
    assert result["total_time_ps"].dtype == np.float64


@pytest.mark.parametrize("env, workload, options, design, assignments", [
    ("dram", {"trace": "cloud-1", "clk_mhz": 800}, ["--trace", "cloud-1", "--clk_mhz", "800"], DESIGNS[1],
     ["--set", "PagePolicy=Closed", "--set", "MaxActiveTransactions=1"]),
    ("maestro", {"model": "resnet18", "layer": 2}, ["--model", "resnet18", "--layer", "2"], {"K_outer": 32}, ["--set", "K_outer=32"]),
    ("maestro-archgym", {"model": "resnet18", "layer": 2}, ["--model", "resnet18", "--layer", "2"], {"num_pe": 100},
     ["--set", "num_pe=100"]),
])
def test_results_are_those_of_the_command_line(env, workload, options, design, assignments):
    printed = command_json("eval", env, *options, *assignments)
    result = exarch.evaluate(env, [design], workload=workload)
    assert result.status_text == [printed["status"]]
    for name, value in printed["metrics"].items():
        assert result.metrics[name][0] == (np.nan if value is None else value), name
    for name, value in printed["counters"].items():
        assert result.counters[name][0] == value, name


def test_a_batch_is_that_of_the_command_line():
    space = exarch.Problem("dram", workload="random", space="archgym-ga").space
    designs = space.designs(space.sample(300, seed=4))
    result = exarch.evaluate("dram", designs, workload="random")
    columns = result.parameter_columns()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values())))
    lines = command_line("eval", "dram", "--trace", "random", "--in", "-", "--json", stdin=text.getvalue()).stdout.splitlines()
    for i, line in enumerate(lines):
        printed = json.loads(line)
        assert {name: column[i] for name, column in result.metrics.items()} == printed["metrics"]
        assert {name: column[i] for name, column in result.counters.items()} == printed["counters"]


def test_designs_may_be_written_in_many_ways():
    expected = exarch.evaluate("dram", DESIGNS, workload="stream")
    frame = pandas.DataFrame(expected.parameter_columns())
    ways = [frame, frame.astype({"PagePolicy": "category", "RequestBufferSize": float}), expected.parameter_columns(), expected.designs,
            expected.designs.astype(np.uint8), frame.to_dict("records")]
    for designs in ways:
        again = exarch.evaluate("dram", designs, workload="stream")
        assert np.array_equal(again.designs, expected.designs)
        assert np.array_equal(again["total_time_ps"], expected["total_time_ps"])


def test_genes_are_places_in_the_values_of_a_space(small_problem):
    space = small_problem.space
    result = exarch.evaluate("dram", space.sample(20), workload="cloud-1", space=space)
    assert np.array_equal(result.designs, space.designs(space.sample(20)))
    assert np.array_equal(space.genes(space.points(result.designs)), space.sample(20))


def test_neither_threads_nor_sharing_change_a_result():
    designs = exarch.Problem("dram", workload="cloud-2").space.sample(500)
    space = exarch.Problem("dram", workload="cloud-2").space
    results = [exarch.evaluate("dram", designs, workload="cloud-2", space=space, threads=threads, share=share)
               for threads, share in [(1, True), (2, True), (None, False)]]
    for result in results[1:]:
        assert all(np.array_equal(result[name], results[0][name]) for name in result)


def test_columns_outlive_the_result_and_are_not_copies():
    result = exarch.evaluate("dram", DESIGNS, workload="stream")
    column, table = result["total_time_ps"], result._table
    assert np.shares_memory(column, table) and column.flags.c_contiguous
    assert np.array_equal(np.from_dlpack(column), column)
    expected = column.copy()
    del result, table
    assert np.array_equal(column, expected)


def test_some_columns():
    result = exarch.evaluate("dram", DESIGNS, workload="stream", metrics=["total_time_ps", "average_power_mw"])
    assert list(result) == ["total_time_ps", "average_power_mw"]
    assert result.units == {"total_time_ps": "ps", "average_power_mw": "mW"}
    assert np.array_equal(result.cost("energy"), exarch.evaluate("dram", DESIGNS, workload="stream")["total_energy_pj"])
    with pytest.raises(exarch.UsageError, match="did you mean 'total_time_ps'"):
        exarch.evaluate("dram", DESIGNS, workload="stream", metrics=["total_time_p"])
    with pytest.raises(KeyError, match="total_time_ps"):
        result["total_time_p"]


def test_a_failed_run_has_no_metrics():
    problem = exarch.Problem("maestro-archgym", workload={"model": "resnet18", "layer": 2})
    result = exarch.evaluate("maestro-archgym", problem.space.sample(400), workload={"model": "resnet18", "layer": 2}, space=problem.space)
    assert 0 < result.ok.sum() < result.size, "some succeed and some fail"
    for column in result.metrics.values():
        assert np.isnan(column[~result.ok]).all()
    assert np.isinf(result.cost()[~result.ok]).all()


def test_no_designs():
    assert exarch.evaluate("dram", [], workload="stream")["total_time_ps"].shape == (0,)


@pytest.mark.parametrize("arguments, message", [
    (("drm", [{}]), "unknown environment 'drm' (did you mean 'dram'?)"),
    (("dram", [{"PagePolcy": "Open"}]), "designs[0]: unknown parameter 'PagePolcy' (did you mean 'PagePolicy'?)"),
    (("dram", [{}, {"PagePolicy": "Opn"}]), "did you mean 'Open'?"),
    (("dram", [{"RequestBufferSize": 0}]), "RequestBufferSize"),
    (("dram", [{"RequestBufferSize": 2.5}]), "2.5"),
    (("dram", [{"RequestBufferSize": True}]), "True"),
    (("dram", [{"RequestBufferSize": 10**30}]), "RequestBufferSize"),
    (("dram", {"PagePolicy": ["Open"], "Arbiter": ["Fifo", "Fifo"]}), "different lengths"),
    (("dram", {"RequestBufferSize": [4, 100000]}), "designs[1]: RequestBufferSize = 100000"),
    (("dram", np.zeros((2, 3), np.int64)), "designs have 3 columns"),
    (("dram", np.zeros((2, 12))), "expected integers"),
    (("dram", "PagePolicy=Open"), "expected a list of dicts"),
])
def test_mistakes_in_designs(arguments, message):
    with pytest.raises(exarch.UsageError) as raised:
        exarch.evaluate(*arguments, workload="cloud-1")
    assert message in str(raised.value)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("workload, error", [("clod-1", exarch.Error), ({"trce": "cloud-1"}, exarch.UsageError),
                                             ({"trace": "cloud-1", "clk_mhz": "fast"}, exarch.UsageError),
                                             (["cloud-1", "cloud-2"], exarch.UsageError)])
def test_mistakes_in_workloads(workload, error):
    with pytest.raises(error):
        exarch.evaluate("dram", [{}], workload=workload)


@pytest.mark.parametrize("arguments, call", [
    (["eval", "dram", "--trace", "clod-1"], lambda: exarch.evaluate("dram", [{}], workload="clod-1")),
    (["eval", "dram"], lambda: exarch.evaluate("dram", [{}])),
    (["eval", "dram", "--trace", "cloud-1", "--clk_mhz", "fast"], lambda: exarch.evaluate("dram", [{}], workload={"trace": "cloud-1", "clk_mhz": "fast"})),
    (["eval", "dram", "--trace", "cloud-1", "--set", "PagePolcy=Open"], lambda: exarch.evaluate("dram", {"PagePolcy": ["Open"]}, workload="cloud-1")),
    (["space", "dram", "--space", "archgym"], lambda: exarch.Problem("dram", "cloud-1", space="archgym")),
])
def test_errors_have_the_words_of_the_command_line(arguments, call):
    with pytest.raises(exarch.Error) as raised:
        call()
    code = 2 if isinstance(raised.value, exarch.UsageError) else 1
    assert command_line(*arguments, code=code).stderr == f"exarch: {raised.value}\n"


def test_progress_is_told_and_may_end_an_evaluation():
    problem = exarch.Problem("dram", workload="stream", space="archgym-aco")
    genes = problem.space.sample(70000)
    told = []
    exarch.evaluate("dram", genes, workload="stream", space=problem.space, progress=lambda done, total: told.append((done, total)))
    assert told == [(65536, 70000), (70000, 70000)]

    class Enough(Exception):
        pass

    def stop(done, total):
        raise Enough

    with pytest.raises(Enough):
        exarch.evaluate("dram", genes, workload="stream", space=problem.space, progress=stop)


def test_other_threads_go_on_while_one_evaluates():
    problem = exarch.Problem("dram", workload="random")
    results = {}

    def work(seed):
        results[seed] = exarch.evaluate("dram", problem.space.sample(300, seed), workload="random", space=problem.space)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, result in results.items():
        alone = exarch.evaluate("dram", problem.space.sample(300, seed), workload="random", space=problem.space)
        assert np.array_equal(result["total_time_ps"], alone["total_time_ps"])


def test_an_evaluator_remembers_and_survives_an_exception():
    evaluator = exarch.Evaluator("dram", "cloud-1")
    first = evaluator.evaluate(DESIGNS)
    made = evaluator.simulated
    assert np.array_equal(evaluator.evaluate(DESIGNS)["total_time_ps"], first["total_time_ps"])
    assert evaluator.simulated == made
    with pytest.raises(ZeroDivisionError):
        evaluator.evaluate(DESIGNS, progress=lambda done, total: 1 / 0)
    assert np.array_equal(evaluator.evaluate(DESIGNS)["total_time_ps"], first["total_time_ps"])


def test_a_workload_that_changed_is_read_again(tmp_path):
    source = os.path.join(os.path.dirname(exarch.__file__), "share", "exarch", "dram", "traces")
    trace = tmp_path / "mine.stl"
    trace.write_text("".join(f"{i}: read {64 * i:#x}\n" for i in range(40)))
    assert os.path.isdir(source)
    short = exarch.evaluate("dram", [{}], workload=str(trace))["total_time_ps"][0]
    trace.write_text("".join(f"{i}: read {64 * i:#x}\n" for i in range(400)))
    assert exarch.evaluate("dram", [{}], workload=str(trace))["total_time_ps"][0] > short


def test_ctrl_c_ends_an_evaluation(ctrl_c_after):
    problem = exarch.Problem("dram", workload="random", space="archgym-ga")
    genes = problem.space.sample(400000)  # minutes, one by one
    with ctrl_c_after(0.5), pytest.raises(KeyboardInterrupt):
        exarch.evaluate("dram", genes, workload="random", space=problem.space, share=False, threads=1)
    assert exarch.evaluate("dram", genes[:10], workload="random", space=problem.space, threads=1).ok.all()


def test_a_child_process_evaluates_too():
    exarch.evaluate("dram", DESIGNS, workload="stream")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        value = exarch.evaluate("dram", DESIGNS, workload="stream")["total_time_ps"][0]
        os.write(write, repr(float(value)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert float(os.read(read, 100)) == exarch.evaluate("dram", DESIGNS, workload="stream")["total_time_ps"][0]
