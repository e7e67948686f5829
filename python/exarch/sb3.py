"""Exarch's environments for Stable-Baselines3, which does not take Gymnasium's vector environments.

    from exarch.sb3 import ExarchVecEnv
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    envs = VecNormalize(ExarchVecEnv("dram", num_envs=256, trace="cloud-1", objective="latency"), norm_obs=False)
    PPO("MlpPolicy", envs, n_steps=4, gamma=0.0).learn(20_000)

An episode is one step, and the whole batch is one evaluation. Actions, rewards and observations are those of `exarch.gym`. As Stable-
Baselines3 has it, the observation that a step gives belongs to the next episode (zeros: nothing was evaluated yet), and what was
observed is in `infos[i]["terminal_observation"]`. Rewards are costs with a minus sign, in picoseconds for example: normalise them, and
choose an `infeasible_reward` of their size where designs may be infeasible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._environment import EnvironmentLike
from ._optional import need
from ._problem import SpaceLike
from .gym import Floats, _Task

need("stable_baselines3", "exarch.sb3", "stable-baselines3")
from stable_baselines3.common.vec_env import VecEnv  # noqa: E402

Indices = Union[None, int, Iterable[int]]


class ExarchVecEnv(VecEnv):  # type: ignore[misc]
    """`num_envs` designs a step, evaluated together.

    Args:
        env: an environment's name, an `Environment` or a `Model`.
        num_envs: designs a step.
        space, fix, objective: as for `Problem`.
        infeasible_reward: of designs that break a constraint or whose run failed.
        threads, backend: as for `evaluate()`.
        workload: options of the workload, `trace="cloud-1"`.

    After a step, `infos[i]` has the metrics by name, `status` in words, `terminal_observation` and `episode` (its reward `r` and length
    `l`, which Stable-Baselines3 logs).
    """

    def __init__(self, env: EnvironmentLike, num_envs: int = 256, *, space: SpaceLike = None, objective: str = "",
                 infeasible_reward: float = -1e12, threads: int | None = None, backend: str = "auto",
                 fix: Mapping[str, Any] | None = None, **workload: Any) -> None:
        self._task = _Task(env, space, objective, infeasible_reward, threads, backend, fix, workload)
        self.problem = self._task.problem
        self.render_mode = None
        self._actions: Optional[npt.NDArray[Any]] = None
        super().__init__(num_envs, self._task.observation_space, self._task.action_space)

    def reset(self) -> Floats:
        """Zeros: nothing has been evaluated yet."""
        return np.zeros((self.num_envs, len(self._task.metrics)))

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Takes genes (num_envs, parameter)."""
        table = np.asarray(actions)
        expected = (self.num_envs, len(self._task.problem.space.nvec))
        if table.shape != expected:
            raise ValueError(f"actions of shape {table.shape}, expected {expected}")
        self._actions = table

    def step_wait(self) -> tuple[Floats, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Evaluates them."""
        if self._actions is None:
            raise RuntimeError("step_wait() without step_async()")
        result = self._task.evaluate(self._actions)
        self._actions = None
        observed, rewards = self._task.observations(result), self._task.rewards(result)
        columns = result.metrics
        infos: list[dict[str, Any]] = [
            {**{name: float(column[i]) for name, column in columns.items()}, "status": result.status_text[i],
             "terminal_observation": observed[i], "TimeLimit.truncated": False, "episode": {"r": float(rewards[i]), "l": 1, "t": 0.0}}
            for i in range(self.num_envs)]
        return self.reset(), rewards.astype(np.float32), np.ones(self.num_envs, dtype=bool), infos

    def close(self) -> None:
        """Nothing to close."""

    # ---- what Stable-Baselines3 asks of single environments: here they are one

    def _count(self, indices: Indices) -> int:
        return len(list(self._get_indices(indices)))

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        return [getattr(self, attr_name)] * self._count(indices)

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        if self._count(indices) != self.num_envs:
            raise ValueError(f"'{attr_name}' is set for all environments at once; they are one")
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *arguments: Any, indices: Indices = None, **options: Any) -> list[Any]:
        return [getattr(self, method_name)(*arguments, **options)] * self._count(indices)

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        return [False] * self._count(indices)

    def get_images(self) -> Sequence[Optional[npt.NDArray[Any]]]:
        return [None] * self.num_envs
