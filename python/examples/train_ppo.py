"""Proximal policy optimisation by Stable-Baselines3: python python/examples/train_ppo.py

Every step of the policy is a batch of designs, and one evaluation. Needs stable-baselines3 and torch.
"""

from __future__ import annotations

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from exarch.sb3 import ExarchVecEnv


class Best(BaseCallback):  # type: ignore[misc]
    """Remembers the mean and the best time of every step."""

    def __init__(self) -> None:
        super().__init__()
        self.means: list[float] = []
        self.best = np.inf

    def _on_step(self) -> bool:
        times = np.array([info["total_time_ps"] for info in self.locals["infos"]])
        self.means.append(float(times.mean()))
        self.best = min(self.best, float(times.min()))
        return True


def main(steps: int = 60, num_envs: int = 128) -> tuple[list[float], float]:
    """The mean time (ps) of the designs of each step, and the best of all."""
    # An episode is one step, so that nothing is to be discounted; rewards are picoseconds, so that they are normalised.
    envs = VecNormalize(ExarchVecEnv("dram", num_envs, trace="cloud-1", space="archgym-aco", objective="latency"), norm_obs=False)
    seen = Best()
    model = PPO("MlpPolicy", envs, n_steps=2, batch_size=64, gamma=0.0, gae_lambda=1.0, learning_rate=3e-3, ent_coef=0.001, seed=1,
                device="cpu")
    model.learn(steps * num_envs, callback=seen)
    for step in range(0, len(seen.means), 10):
        print(f"step {step}: mean {seen.means[step]:.0f} ps")
    print(f"best {seen.best:.0f} ps")
    return seen.means, seen.best


if __name__ == "__main__":
    main()
