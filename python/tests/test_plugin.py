"""Plug-ins: a cost model in C++, compiled here, is what the same model in Python is."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import exarch
from conftest import command_line
from test_model import Cache

SOURCE = pathlib.Path(__file__).parents[2] / "docs" / "example" / "plugin" / "cache.cpp"


class CacheInPython(Cache):
    name = "cache-in-python"
    version = "1"
    workloads = ["cold", "hot"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    # The model of test_model.py has the same name; a process has one of them.
    folder = tmp_path_factory.mktemp("plugin")
    text = SOURCE.read_text(encoding="utf-8").replace('"cache"', '"cache-plugin"')
    (folder / "cache.cpp").write_text(text, encoding="utf-8")
    path = folder / "libcache.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", f"-I{exarch.include_dir()}", "-o", str(path), str(folder / "cache.cpp")], check=True)
    return path


@pytest.mark.parametrize("workload", ["cold", "hot"])
def test_it_is_the_model_in_python(library, workload):
    plugin, python = exarch.load_plugin(library), CacheInPython()
    assert plugin.model.startswith("plug-in cache-plugin/1, signature ")
    genes = exarch.Problem(plugin, workload).space.sample(1000)
    ours, theirs = (exarch.evaluate(model, genes, workload=workload, space=exarch.Problem(model, workload).space) for model in (plugin, python))
    for metric in ("time_ns", "area_mm2"):
        assert np.allclose(ours[metric], theirs[metric], rtol=1e-14)


def test_runs_and_stores_work_on_it(library, tmp_path):
    plugin = exarch.load_plugin(library)
    assert exarch.load_plugin(str(library)).model == plugin.model
    assert "cache-plugin" in exarch.environments()
    problem = exarch.Problem("cache-plugin", "hot", objective="both")
    truth = exarch.Truth.make(problem, tmp_path / "truth.db")
    report = exarch.Search(problem, "ga", population=32).run(10, tmp_path / "run.db")
    assert 0 <= truth.relative_regret(report.best[0].cost)[0] < 0.5
    # The command line goes on with the store, once it has the plug-in.
    assert "area_mm2" in command_line("best", str(tmp_path / "run.db"), "--plugin", str(library)).stdout
    assert f"made with model {plugin.model}" in command_line("best", str(tmp_path / "run.db"), code=1).stderr


def test_what_is_no_plugin(tmp_path):
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(exarch.UsageError, match="not a shared library"):
        exarch.load_plugin(tmp_path / "text.so")
