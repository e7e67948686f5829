"""A policy that learns in batches, by Gymnasium: python python/examples/policy_gradient.py

REINFORCE on one independent categorical distribution per parameter: the loop that reinforcement-learning libraries write, with NumPy.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

import exarch  # makes "exarch/Dram-v0" known

Floats = npt.NDArray[np.float64]


def sample(rng: np.random.Generator, logits: list[Floats], count: int) -> tuple[npt.NDArray[np.int64], list[Floats]]:
    """Actions (count, parameter), and the probabilities that they were drawn with."""
    chances = [np.exp(one - one.max()) / np.exp(one - one.max()).sum() for one in logits]
    actions = np.stack([rng.choice(len(chance), size=count, p=chance) for chance in chances], axis=1)
    return actions, chances


def main(steps: int = 40, num_envs: int = 256) -> float:
    """The best reward that was seen."""
    envs: Any = gymnasium.make_vec("exarch/Dram-v0", num_envs=num_envs, trace="cloud-1", space="archgym-aco", objective="latency")
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    logits = [np.zeros(int(n)) for n in envs.single_action_space.nvec]
    best = -np.inf
    for step in range(steps):
        actions, chances = sample(rng, logits, num_envs)
        _, rewards, _, _, _ = envs.step(actions)
        best = max(best, float(rewards.max()))
        advantages = (rewards - rewards.mean()) / (rewards.std() + 1e-9)
        for p, (one, chance) in enumerate(zip(logits, chances)):
            chosen = np.zeros((num_envs, len(chance)))
            chosen[np.arange(num_envs), actions[:, p]] = 1
            one += (advantages[:, None] * (chosen - chance)).mean(axis=0)
        if step % 10 == 9:
            print(f"step {step + 1}: mean reward {rewards.mean():.6g}, best {best:.6g}")
    return best


if __name__ == "__main__":
    print(f"exarch {exarch.__version__}")
    main()
