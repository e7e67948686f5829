"""Stores as Parquet files."""

import json
import sys

import numpy as np
import pytest

pyarrow = pytest.importorskip("pyarrow")
import pyarrow.parquet  # noqa: E402

import exarch  # noqa: E402
from conftest import command_line  # noqa: E402


def test_a_search_as_parquet(small_problem, tmp_path):
    exarch.Search(small_problem, "ga", population=16, seed=9, parameters={"mutation_rate": 0.2}).run(4, tmp_path / "run.db")
    store = exarch.open_store(tmp_path / "run.db")
    assert store.export_parquet(tmp_path / "run.parquet", rows=10) == 64
    file = pyarrow.parquet.ParquetFile(tmp_path / "run.parquet")
    assert file.num_row_groups == 7
    table = file.read()
    assert table.schema.field("total_time_ps").metadata[b"unit"] == b"ps"
    assert json.loads(table.schema.metadata[b"exarch"])["identity"]["agent"] == "ga"
    frame, expected = table.to_pandas(), store.to_pandas()
    assert set(frame["agent"]) == {"ga"} and set(frame["seed"]) == {"9"} and "0.2" in frame["agent_parameters"][0]
    for name in expected.columns:
        assert list(frame[name]) == list(expected[name]), name


def test_a_sweep_of_several_workloads_with_failures(tmp_path):
    problem = exarch.Problem("maestro-archgym", workload=[{"model": "resnet18", "layer": 2}, {"model": "resnet18", "layer": 3}])
    exarch.Sweep(problem, sample=50).run(tmp_path / "sweep.db")
    store = exarch.open_store(tmp_path / "sweep.db")
    assert store.export_parquet(tmp_path / "sweep.parquet") == 100
    frame = pyarrow.parquet.read_table(tmp_path / "sweep.parquet").to_pandas()
    assert list(frame["workload"].unique()) == store.workloads and len(store.workloads) == 2
    failed = frame["status"] != "ok"
    assert 0 < failed.sum() < 100
    assert np.isnan(frame.loc[failed, "energy_nj"]).all()


def test_mistakes(small_problem, tmp_path):
    exarch.Sweep(small_problem).run(tmp_path / "sweep.db")
    store = exarch.open_store(tmp_path / "sweep.db")
    with pytest.raises(exarch.UsageError, match="is the store itself"):
        store.export_parquet(tmp_path / "sweep.db")
    with pytest.raises(FileNotFoundError):
        store.export_parquet(tmp_path / "none" / "sweep.parquet")


def test_the_verb_of_the_command_line(small_problem, tmp_path, monkeypatch):
    exarch.Search(small_problem, "ga", population=16).run(3, tmp_path / "run.db")
    store, out = str(tmp_path / "run.db"), tmp_path / "verb.parquet"
    # The command finds the interpreter that it was installed for; the bare program takes python3, or what EXARCH_PYTHON names.
    monkeypatch.setenv("EXARCH_PYTHON", sys.executable)
    assert command_line("export", store, "--format", "parquet", "--out", str(out)).stdout == f"48 rows in {out}\n"
    exarch.open_store(store).export_parquet(tmp_path / "python.parquet")
    ours, theirs = (pyarrow.parquet.read_table(path) for path in (tmp_path / "python.parquet", out))
    assert ours.equals(theirs, check_metadata=True)
    csv = command_line("export", store).stdout
    assert command_line("export", store, "--format", "csv").stdout == csv
    assert command_line("export", store, "--format", "json").stdout == command_line("export", store, "--json").stdout
    for words, code, said in [(["--format", "parquet"], 2, "needs --out"), (["--format", "parqet"], 2, "did you mean 'parquet'"),
                              (["--json", "--format", "parquet"], 2, "one of the two"),
                              (["--format", "parquet", "--out", store], 2, "the store itself"),
                              (["--format", "parquet", "--out", str(tmp_path / "none" / "x")], 1, "none")]:
        assert said in command_line("export", store, *words, code=code).stderr
    monkeypatch.setenv("EXARCH_PYTHON", str(tmp_path / "no-python"))
    error = command_line("export", store, "--format", "parquet", "--out", str(out), code=1).stderr
    assert "lacks a package of these: exarch, pyarrow" in error and "EXARCH_PYTHON" in error
