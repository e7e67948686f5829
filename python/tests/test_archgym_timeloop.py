"""The shim of TimeloopGym: its architectures, observations, rewards and episodes."""

import numpy as np
import pytest

import exarch
from exarch import archgym
from exarch.archgym import TimeloopEnv, helpers, make_timeloop_env


def spad(depth):
    return {"memory_depth": depth, "memory_width": 16, "block-size": 1, "word-bits": 16, "read_bandwidth": 2, "write_bandwidth": 2}


# The architecture that TimeloopGym improves upon, as its dict.
BASELINE = {
    "SHARED_GLB_CLASS": "smartbuffer_SRAM",
    "SHARED_GLB_ATTRIBUTES": {"memory_depth": 16384, "memory_width": 64, "n_banks": 32, "block-size": 4, "word-bits": 16,
                              "read_bandwidth": 16, "write_bandwidth": 16},
    "DUMMY_BUFFER_CLASS": "SRAM", "DUMMY_BUFFER_ATTRIBUTES": {"depth": 16, "width": 16, "word-bits": 16, "block-size": 1},
    "NUM_PEs": "PE[0..167]", "IFMAP_SPAD_CLASS": "smartbuffer_SRAM", "IFMAP_SPAD_ATRIBUTES": spad(12),
    "WEIGHTS_SPAD_CLASS": "smartbuffer_SRAM", "WEIGHTS_SPAD_ATRIBUTES": spad(192), "PSUM_SPAD_CLASS": "smartbuffer_SRAM",
    "PSUM_SPAD_ATRIBUTES": spad(16), "MAC_MESH_X": 14}


def test_its_baseline_has_its_numbers():
    env = TimeloopEnv(workload_dir="layer_shapes/AlexNet", reward_formulation="energy")
    observation, reward, done, info = env.step(BASELINE)
    assert np.round(observation, 2).tolist() == [29205.99, 2.03, 7885704.0] and done and info == {}
    assert reward == pytest.approx(1 / 0.7 - 1, abs=1e-5)  # the target is 30 % less
    best = TimeloopEnv(mapper="best").step(BASELINE)[0]
    assert best[2] == observation[2] and best[0] < observation[0] / 4


def actions(count, seed=1):
    rng = np.random.default_rng(seed)
    nvec = exarch.Problem("timeloop", space="archgym").space.nvec
    return rng.integers(1, nvec + 1, (count, len(nvec)))


@pytest.mark.parametrize("formulation", ["energy", "area", "latency", "joint"])
def test_rewards_are_the_costs_of_the_environment(formulation):
    # Architectures near the baseline, which have mappings, and others, of which many have none.
    genes = actions(8)
    genes[:4] = [12, 3, 2, 4, 1, 1, 1, 2, 4, 1, 1, 1, 2, 8, 1, 1, 1, 4, 4, 1, 2, 5, 2, 3, 4, 4]
    genes[:4, 0] = [12, 14, 20, 24]
    env = TimeloopEnv(reward_formulation=formulation, mapper="best")
    space = exarch.Problem("timeloop", space="archgym").space
    result = exarch.evaluate("timeloop", genes - 1, workload={"network": "alexnet"}, space=space)
    assert result.ok[:4].all() and not result.ok.all()
    observations = env.observe([helpers().decode_timeloop_action(row) for row in genes])
    assert np.array_equal(observations[~result.ok], -np.ones((int((~result.ok).sum()), 3)))
    column = result["archgym_cost" if formulation == "joint" else f"archgym_{formulation}_cost"]
    for i, observation in enumerate(observations):
        assert env.calculate_reward(observation) == (pytest.approx(column[i], rel=1e-12) if result.ok[i] else 1500.0)


def test_episodes_of_the_wrapper():
    env = make_timeloop_env(env=TimeloopEnv(reward_formulation="area", mapper="best"), maximize_action=True)
    action = actions(1)[0]
    first = env.step(action)
    assert first.first() and first.reward is None and first.observation.shape == (3,)
    last = env.step(action)
    assert last.last() and last.discount == 0.0 and last.observation.dtype == np.float32
    assert last.reward == np.float32(-env.calculate_reward(env.observe([action])[0]))
    assert env.step(action).first()
    assert env.action_space.sample().shape == (26,) and (env.action_space.sample() + 1 >= 1).all()
    many = make_timeloop_env(env=TimeloopEnv(reward_formulation="area", mapper="best"), multi_agent=True)
    many.reset()
    assert np.array_equal(many.step([action, action]).reward, np.float32([-last.reward] * 2))


def test_an_architecture_and_back():
    made = helpers().decode_timeloop_action(np.ones(26))
    assert made["NUM_PEs"] == "PE[0..13]" and made["MAC_MESH_X"] == 2 and made["IFMAP_SPAD_CLASS"] == "regfile"
    assert made["SHARED_GLB_ATTRIBUTES"] == {"word-bits": 16, "memory_depth": 1024, "n_banks": 16, "block-size": 1, "memory_width": 16,
                                             "read_bandwidth": 2, "write_bandwidth": 2}
    env = TimeloopEnv(mapper="best")
    one = actions(1, seed=3)[0]
    assert np.array_equal(env.observe([one]), env.observe([helpers().decode_timeloop_action(one)]))


def test_mistakes():
    with pytest.raises(ValueError, match="expected energy, area, latency or joint"):
        TimeloopEnv(reward_formulation="power")
    with pytest.raises(exarch.UsageError, match="did you mean 'resnet50'"):
        TimeloopEnv(workload_dir="layer_shapes/resnet5")
    with pytest.raises(ValueError, match="three positive numbers"):
        TimeloopEnv(target_val=[1, 0, 1])
    with pytest.raises(ValueError, match="25 numbers, expected 26"):
        helpers().decode_timeloop_action(np.ones(25))
    with pytest.raises(ValueError, match="NUM_PEs: choice 0; there are 1 to 24"):
        helpers().decode_timeloop_action(np.zeros(26))
    with pytest.raises(ValueError, match="lacks MAC_MESH_X"):
        TimeloopEnv().step({name: value for name, value in BASELINE.items() if name != "MAC_MESH_X"})
    with pytest.raises(ValueError, match="NUM_PEs '168'"):
        TimeloopEnv().step({**BASELINE, "NUM_PEs": "168"})
    assert TimeloopEnv(workload_dir="CognitiveImpairmentDetection_Orig_5_sec").network == "cognitive_5s"
    assert archgym.TimeloopEnv(workload_dir="keyword_spotting").network == "keyword_spotting"
