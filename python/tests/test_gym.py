"""Gymnasium: checkers, batches, autoreset."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402

import exarch  # noqa: E402
from exarch.gym import ExarchEnv, ExarchVectorEnv, gym_id  # noqa: E402


def make_vec(num_envs=16, **options):
    return gymnasium.make_vec("exarch/Dram-v0", num_envs=num_envs, trace="cloud-1", **options)


@pytest.mark.parametrize("name, workload", [("dram", {"trace": "cloud-1"}), ("maestro", {"model": "resnet18", "layer": 2})])
def test_gymnasiums_checker(name, workload):
    env = gymnasium.make(gym_id(name), **workload)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The bounds of metrics are not known.
        warnings.filterwarnings("ignore", message=".*(infinity|render modes).*")
        check_env(env.unwrapped)


@pytest.mark.parametrize("order", ["import exarch, gymnasium", "import gymnasium, exarch"])
def test_importing_is_enough(order):
    code = f"{order}; print(gymnasium.make_vec('exarch/Dram-v0', num_envs=2, trace='cloud-1').num_envs)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "2\n"


def test_a_batch_is_evaluated_at_once():
    envs = make_vec(64, objective="latency")
    observations, infos = envs.reset(seed=1)
    assert observations.shape == (64, len(envs.problem.environment.metrics)) and infos == {}
    assert envs.observation_space.contains(observations)
    actions = envs.action_space.sample()
    observations, rewards, terminated, truncated, infos = envs.step(actions)
    assert envs.observation_space.contains(observations)
    assert terminated.all() and not truncated.any()
    result = exarch.evaluate("dram", actions, workload="cloud-1", space=envs.problem.space)
    assert np.array_equal(infos["total_time_ps"], result["total_time_ps"])
    assert np.array_equal(rewards, -result["total_time_ps"])
    assert np.array_equal(infos["final_obs"][:, 0], result[envs._task.metrics[0]])


def test_single_and_batched_are_the_same():
    envs, env = make_vec(8, objective="archgym-both"), gymnasium.make("exarch/Dram-v0", trace="cloud-1", objective="archgym-both")
    envs.reset()
    actions = envs.action_space.sample()
    _, rewards, _, _, infos = envs.step(actions)
    for i, action in enumerate(actions):
        env.reset()
        observation, reward, terminated, truncated, info = env.step(action)
        assert reward == rewards[i] and terminated and not truncated
        assert np.array_equal(observation, infos["final_obs"][i])
        assert info["total_time_ps"] == infos["total_time_ps"][i]
        assert info["design"]["PagePolicy"] in envs.problem.space.values["PagePolicy"]


def test_same_step_goes_on_at_once():
    envs = make_vec()
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    envs.reset()
    for _ in range(3):
        observations, _, _, _, infos = envs.step(envs.action_space.sample())
        assert not observations.any(), "the first observation of the next episode"
        assert infos["_final_obs"].all()


def test_disabled_waits_for_resets():
    envs = make_vec(4, autoreset_mode=AutoresetMode.DISABLED)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    envs.reset()
    observations, _, terminated, _, infos = envs.step(envs.action_space.sample())
    assert terminated.all() and observations.any(axis=1).all() and "final_obs" not in infos
    with pytest.raises(RuntimeError, match="reset_mask"):
        envs.step(envs.action_space.sample())
    again, _ = envs.reset(options={"reset_mask": np.array([True, True, False, False])})
    assert not again[:2].any() and np.array_equal(again[2:], observations[2:])
    with pytest.raises(RuntimeError, match="reset_mask"):
        envs.step(envs.action_space.sample())
    envs.reset(options={"reset_mask": np.array([False, False, True, True])})
    envs.step(envs.action_space.sample())
    with pytest.raises(ValueError, match="reset_mask of shape"):
        envs.reset(options={"reset_mask": np.ones(3, bool)})


def test_next_step_is_refused():
    with pytest.raises(ValueError, match="waste every second"):
        make_vec(autoreset_mode=AutoresetMode.NEXT_STEP)


def test_an_infeasible_design_has_a_finite_reward():
    envs = make_vec(32, objective="min:total_time_ps, average_power_mw<=1", infeasible_reward=-5.0)
    envs.reset()
    observations, rewards, _, _, _ = envs.step(envs.action_space.sample())
    assert (rewards == -5.0).all() and np.isfinite(observations).all()


def test_gymnasiums_wrappers_take_it():
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(make_vec(8, objective="archgym-both"))
    envs.reset(seed=0)
    _, rewards, _, _, infos = envs.step(envs.action_space.sample())
    assert np.array_equal(infos["episode"]["r"], rewards.astype(infos["episode"]["r"].dtype))


def test_mistakes():
    for options, message in [({"trace": "clod-1"}, "cloud-1"), ({"tracee": "cloud-1"}, "did you mean 'trace'"),
                             ({"trace": "cloud-1", "objective": "latncy"}, "did you mean 'latency'")]:
        with pytest.raises(exarch.Error, match=message):
            ExarchVectorEnv("dram", 2, **options)
    envs = make_vec(4)
    envs.reset()
    with pytest.raises(ValueError, match="actions of shape"):
        envs.step(np.zeros((3, 12), np.int64))


def test_a_model_of_ones_own():
    class Square(exarch.Model):
        parameters = {"x": range(-3, 4)}
        metrics = {"y": "1"}

        def evaluate(self, designs, workload):
            return {"y": designs["x"] ** 2}

    check_env(ExarchEnv(Square()))
    envs = ExarchVectorEnv(Square(), 7)
    envs.reset()
    assert list(envs.step(np.arange(7)[:, None])[1]) == [-9, -4, -1, 0, -1, -4, -9]
