"""The examples run, and find what they look for."""

import importlib.util
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
