"""Stable-Baselines3 learns on Exarch's environments. Skipped where it, or torch, is not installed (EXARCH_PYTHON_RL=1)."""

import numpy as np
import pytest

sb3 = pytest.importorskip("stable_baselines3", reason="stable-baselines3 and torch: EXARCH_PYTHON_RL=1 tools/python_test.sh")

import exarch  # noqa: E402
from exarch.sb3 import ExarchVecEnv  # noqa: E402
from test_examples import load  # noqa: E402


def test_a_step_is_a_batch():
    envs = ExarchVecEnv("dram", 8, trace="cloud-1", objective="latency", space="archgym-aco")
    assert np.array_equal(envs.reset(), np.zeros((8, len(envs.problem.environment.metrics))))
    genes = envs.problem.space.sample(8)
    observations, rewards, dones, infos = envs.step(genes)
    result = exarch.evaluate("dram", genes, workload="cloud-1", space=envs.problem.space)
    assert observations.shape == (8, len(envs.problem.environment.metrics)) and not observations.any()
    assert dones.all() and rewards.dtype == np.float32
    assert np.array_equal(rewards, -result["total_time_ps"].astype(np.float32))
    names = [metric.name for metric in envs.problem.environment.metrics]
    for i, info in enumerate(infos):
        assert info["total_time_ps"] == result["total_time_ps"][i] == info["terminal_observation"][names.index("total_time_ps")]
        assert info["episode"]["r"] == -result["total_time_ps"][i] and not info["TimeLimit.truncated"]


def test_mistakes():
    envs = ExarchVecEnv("dram", 4, trace="cloud-1")
    with pytest.raises(ValueError, match=r"actions of shape \(3, 12\), expected \(4, 12\)"):
        envs.step(envs.problem.space.sample(3))
    with pytest.raises(RuntimeError, match="without step_async"):
        envs.step_wait()
    with pytest.raises(exarch.UsageError, match="did you mean 'trace'"):
        ExarchVecEnv("dram", 4, trac="cloud-1")
    assert envs.get_attr("num_envs", [0, 2]) == [4, 4]


def test_what_is_infeasible_has_its_reward():
    envs = ExarchVecEnv("dram", 4, trace="cloud-1", objective="latency, average_power_mw<=0", infeasible_reward=-3.0)
    _, rewards, _, _ = envs.step(envs.problem.space.sample(4))
    assert list(rewards) == [-3.0] * 4


def test_ppo_learns(capsys):
    means, best = load("train_ppo").main(steps=60, num_envs=128)
    # It starts with designs at random, and ends with better ones: the optimum is 64.955 us, the mean of the space some 100 us.
    assert np.mean(means[-5:]) < 0.9 * np.mean(means[:5])
    assert best < 66e6


def test_the_checker_of_stable_baselines_takes_the_single_environment():
    from stable_baselines3.common.env_checker import check_env

    check_env(__import__("gymnasium").make("exarch/Dram-v0", trace="cloud-1").unwrapped, warn=False)
