"""The shim: a script of ArchGym's kind runs against it, and sees what ArchGym's environment showed."""

import random

import numpy as np
import pytest

import exarch
from exarch import archgym
from exarch.archgym import helpers, make_dramsys_env

DESIGN = {"PagePolicy": "Open", "Scheduler": "FrFcfs", "SchedulerBuffer": "Bankwise", "RequestBufferSize": 8, "RespQueue": "Fifo",
          "RefreshPolicy": "AllBank", "RefreshMaxPostponed": 8, "RefreshMaxPulledin": 8, "Arbiter": "Simple",
          "MaxActiveTransactions": 128}


def test_a_step():
    env = make_dramsys_env(reward_formulation="power", workload="cloud-1.stl")
    env.reset()
    _, reward, c, info = env.step(DESIGN)
    result = exarch.evaluate("dram", [DESIGN], workload="cloud-1")
    assert info.shape == (1, 3) and info.dtype == np.float32
    assert np.allclose(info[0], [result["total_energy_pj"][0] / 1e9, result["average_power_mw"][0] / 1e3, result["archgym_latency"][0]])
    assert reward == np.float32(result.value("archgym-power-parsed")[0]) and c == 1.0


@pytest.mark.parametrize("formulation", ["power", "latency", "both"])
@pytest.mark.parametrize("units, suffix", [("archgym", "-parsed"), ("fixed", "")])
def test_rewards_are_those_of_the_objectives(formulation, units, suffix):
    env = make_dramsys_env(reward_formulation=formulation, workload="random", units=units)
    env.reset()
    designs = [helpers().action_decoder_ga(helpers().random_walk()) for _ in range(20)]
    rewards = [env.step(design)[1] for design in designs]
    expected = exarch.evaluate("dram", designs, workload="random").value(f"archgym-{formulation}{suffix}")
    assert np.allclose(rewards, expected, rtol=1e-3 if units == "fixed" else 1e-6)  # "fixed" takes the power as printed


def test_episodes_end_as_archgyms():
    env = make_dramsys_env(max_steps=7)
    first = env.step(DESIGN)
    assert first.first() and first.reward is None
    for step in range(100):
        last = env.step(DESIGN)
        assert last.last() == (step == 99)
    assert last.discount == 0.0
    assert env.step(DESIGN).first()


def test_ten_numbers_are_a_design():
    numbers = [0, 2, 0, 8, 0, 1, 8, 8, 0, 128]
    assert helpers().action_decoder_ga(np.array(numbers, float)) == DESIGN
    env = make_dramsys_env()
    env.reset()
    assert env.step(numbers).reward == env.step(DESIGN).reward


def test_the_random_walker_draws_what_archgyms_draws():
    random.seed(7)
    walk = helpers().random_walk()
    random.seed(7)
    bounds = [(0, 3), (0, 2), (0, 2), (1, 8), (0, 1), (0, 1), (1, 8), (1, 8), (0, 2), (0, 2), (1, 128)]
    drawn = [random.randint(*bound) for bound in bounds]
    assert walk == drawn[:8] + drawn[9:]


def test_many_at_once():
    env = make_dramsys_env(workload="stream")
    designs = [helpers().action_decoder_ga(helpers().random_walk()) for _ in range(50)]
    env.reset()
    assert np.array_equal(env.observe(designs).astype(np.float32), [env.step(design).observation[0] for design in designs])


def random_mapping(rng):
    """As ArchGym's random walker draws them for ResNet18's layer 2."""
    low = [0, 0, 2, 2, 1, 1, 1, 1, 0, 2, 2, 1, 1, 1, 1, 0, 1]
    high = [720, 3, 3, 3, 64, 64, 56, 56, 3, 3, 3, 64, 64, 56, 56, 720, 1024]
    return rng.integers(low, high)


@pytest.mark.parametrize("formulation", ["latency", "energy", "area"])
@pytest.mark.parametrize("decode", ["shipped", "intended"])
def test_mappings(formulation, decode):
    env = archgym.make_maestro_env(reward_formulation=formulation, decode=decode, max_steps=30)
    assert env.step(random_mapping(np.random.default_rng(1))).step_type._name_ == "FIRST"
    actions = [random_mapping(np.random.default_rng(i)) for i in range(30)]
    steps = [env.step(action) for action in actions]
    workload = {"model": "resnet18", "layer": 2, "decode": decode}
    designs = np.concatenate([actions, np.zeros((30, 1), int)], axis=1)
    result = exarch.evaluate("maestro-archgym", designs, workload=workload)
    assert result.ok.any()
    for i, step in enumerate(steps):
        assert step.observation.shape == (4,) and step.last() == (i == 29)
        if result.ok[i]:
            assert step.reward == np.float32(result[f"archgym_reward_{formulation}"][i])
            assert np.allclose(step.observation, [result["runtime_cycles"][i], result["archgym_throughput"][i], result["archgym_energy"][i],
                                                  result["archgym_area"][i]])
        else:
            assert step.reward == np.float32(1e-20 if formulation == "latency" else -1)
            assert list(step.observation) == [np.float32(1e20), -1, -1, -1]
    with pytest.raises(ValueError, match="16 numbers, expected 17"):
        env.reset()
        env.step(actions[0][:16])
    with pytest.raises(ValueError, match="latency, energy or area"):
        archgym.make_maestro_env(reward_formulation="power")


def test_sizes_of_layers():
    sizes, listed = helpers().get_dimensions("resnet18", 2)
    assert sizes["K"] == 64 and sizes["S"] == 3 and listed == list(sizes.values())
    with pytest.raises(exarch.UsageError, match="did you mean 'resnet18'"):
        helpers().get_dimensions("resnet81", 2)
    with pytest.raises(exarch.UsageError, match="layer_id = 99"):
        helpers().get_dimensions("resnet18", 99)


def test_mistakes():
    with pytest.raises(ValueError, match="expected power, latency or both"):
        make_dramsys_env(reward_formulation="speed")
    with pytest.raises(exarch.Error, match="cloud-1"):
        make_dramsys_env(workload="clod-1")
    env = archgym.make_dramsys_env()
    env.reset()
    with pytest.raises(exarch.UsageError, match="PagePolicy"):
        env.step({"PagePolcy": "Open"})
