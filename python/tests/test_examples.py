"""The examples run, and find what they look for."""

import importlib.util
import json
import pathlib
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_tune_dram(capsys):
    load("tune_dram").main()
    assert "a regret of" in capsys.readouterr().out


def test_policy_gradient(capsys):
    pytest.importorskip("gymnasium")
    best = load("policy_gradient").main(steps=20, num_envs=128)
    assert -66e6 < best < 0


def test_optimisers(capsys):
    regrets = load("optimisers").main(generations=4, population=16)
    assert "exarch ga" in regrets
    assert all(0 <= regret < 0.2 for regret in regrets.values())


def test_the_notebook(tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "tune_dram.ipynb").read_text(encoding="utf-8"))
    names: dict = {}
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) <= 10
    for cell in cells:
        exec(cell, names)
    assert 0 <= names["regret"] < 0.05
    assert "<table>" in names["report"]._repr_html_() and "<table>" in names["truth"]._repr_html_()
