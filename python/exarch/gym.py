"""Exarch's environments for Gymnasium: `gymnasium.make("exarch/Dram-v0", trace="cloud-1")` after `import exarch`.

An episode is one step: the action is a design, the result is the observation, and the episode ends. `make_vec()` gives an environment
that evaluates all of its designs at once, on all cores:

    envs = gymnasium.make_vec("exarch/Dram-v0", num_envs=4096, trace="cloud-1", objective="latency")
    envs.reset(seed=0)
    observations, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
    infos["total_time_ps"]                      # float64 (4096,)

Actions are genes: `MultiDiscrete`, the place of each parameter's value in the space's list. Observations are the metrics, float64 in
their units. The reward is what the objective states if it is a reward, else the cost with a minus sign; a design that is infeasible,
or whose run failed, has the reward `infeasible_reward`, and its metrics are 0 in the observation where they have no meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._environment import EnvironmentLike, environments
from ._evaluate import Evaluator
from ._optional import need
from ._problem import Problem, SpaceLike
from ._result import Result

need("gymnasium", "exarch.gym")
import gymnasium  # noqa: E402
from gymnasium.spaces import Box, MultiDiscrete  # noqa: E402
from gymnasium.vector import AutoresetMode, VectorEnv  # noqa: E402

Floats = npt.NDArray[np.float64]


def as_observations(metrics: Floats) -> Floats:
    """Observations of metrics (design, metric): 0 where there is none."""
    table: Floats = np.array(metrics, order="C")
    return np.nan_to_num(table, copy=False, nan=0.0, posinf=np.finfo(np.float64).max, neginf=np.finfo(np.float64).min)


def as_rewards(costs: Floats, infeasible_reward: float) -> Floats:
    """Rewards of costs (design,)."""
    return np.where(np.isfinite(costs), -costs, infeasible_reward)


class _Task:
    """What single and batched environments share: the problem, the spaces, and what results are in Gymnasium's terms."""

    def __init__(self, env: EnvironmentLike, space: SpaceLike, objective: str, infeasible_reward: float, threads: int | None,
                 backend: str, fix: Mapping[str, Any] | None, workload: Mapping[str, Any]) -> None:
        self.problem = Problem(env, dict(workload), space, objective, fix)
        self.evaluator = Evaluator(self.problem.environment, self.problem.workloads[0], threads=threads, backend=backend)
        self.infeasible_reward = infeasible_reward
        self.metrics = [metric.name for metric in self.problem.environment.metrics]
        self.action_space = MultiDiscrete(self.problem.space.nvec)
        self.observation_space = Box(-np.inf, np.inf, (len(self.metrics),), np.float64)

    def evaluate(self, actions: npt.ArrayLike) -> Result:
        return self.evaluator.evaluate(self.problem.space.designs(actions))

    def observations(self, result: Result) -> Floats:
        return as_observations(result._table.T)

    def rewards(self, result: Result) -> Floats:
        return as_rewards(result.cost(self.problem.objectives[0]), self.infeasible_reward)


class ExarchEnv(gymnasium.Env):  # type: ignore[misc]
    """One design a step. For learning, `ExarchVectorEnv` is faster by orders of magnitude.

    Args:
        env: an environment's name, an `Environment` or a `Model`.
        space, fix, objective: as for `Problem`.
        infeasible_reward: of designs that break a constraint or whose run failed.
        threads, backend: as for `evaluate()`.
        workload: options of the workload, `trace="cloud-1"`.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, env: EnvironmentLike, *, space: SpaceLike = None, objective: str = "", infeasible_reward: float = -1e12,
                 threads: int | None = 1, backend: str = "cpu", fix: Mapping[str, Any] | None = None,
                 render_mode: str | None = None, **workload: Any) -> None:
        self._task = _Task(env, space, objective, infeasible_reward, threads, backend, fix, workload)
        self.problem = self._task.problem
        self.action_space = self._task.action_space
        self.observation_space = self._task.observation_space
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Zeros: nothing has been evaluated yet."""
        super().reset(seed=seed)
        return np.zeros(len(self._task.metrics)), {}

    def step(self, action: npt.ArrayLike) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Evaluates a design. `info`: metrics by name, `status` in words, and `design`."""
        result = self._task.evaluate(np.asarray(action)[None, :])
        info: dict[str, Any] = {name: float(column[0]) for name, column in result.metrics.items()}
        info["status"] = result.status_text[0]
        info["design"] = result.design(0)
        return self._task.observations(result)[0], float(self._task.rewards(result)[0]), True, False, info


class ExarchVectorEnv(VectorEnv):  # type: ignore[misc]
    """`num_envs` designs a step, evaluated together. Arguments as of `ExarchEnv`, and

    Args:
        num_envs: designs a step.
        autoreset_mode: SAME_STEP (the default): every step is an episode, and the next may follow at once; what was observed is in
            `infos["final_obs"]`, too. DISABLED: environments are reset by `reset(options={"reset_mask": ...})` before their next
            step.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, env: EnvironmentLike, num_envs: int = 1, *, autoreset_mode: Any = AutoresetMode.SAME_STEP,
                 space: SpaceLike = None, objective: str = "", infeasible_reward: float = -1e12, threads: int | None = None,
                 backend: str = "auto", fix: Mapping[str, Any] | None = None, render_mode: str | None = None,
                 **workload: Any) -> None:
        mode = AutoresetMode(autoreset_mode)
        if mode is AutoresetMode.NEXT_STEP:
            raise ValueError("every episode is one step, so that autoreset_mode NEXT_STEP would waste every second one; use SAME_STEP or "
                             "DISABLED")
        self.metadata = {**type(self).metadata, "autoreset_mode": mode}
        self._task = _Task(env, space, objective, infeasible_reward, threads, backend, fix, workload)
        self.problem = self._task.problem
        self.num_envs = num_envs
        self.single_action_space = self._task.action_space
        self.single_observation_space = self._task.observation_space
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.render_mode = render_mode
        self._mode = mode
        self._seed_of_actions: int | None = None
        self._over = np.zeros(num_envs, dtype=bool)
        self._observations = np.zeros((num_envs, len(self._task.metrics)))

    def reset(self, *, seed: int | list[int | None] | None = None,
              options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Zeros, for all environments or those of `options["reset_mask"]`, bool (num_envs,)."""
        super().reset(seed=seed if isinstance(seed, int) or seed is None else seed[0])
        mask = None if options is None else options.get("reset_mask")
        chosen = np.ones(self.num_envs, dtype=bool) if mask is None else np.asarray(mask)
        if chosen.shape != (self.num_envs,) or chosen.dtype != np.bool_:
            raise ValueError(f"reset_mask of shape {chosen.shape} and type {chosen.dtype}, expected ({self.num_envs},) and bool")
        self._over = self._over & ~chosen
        self._observations = np.where(chosen[:, None], 0.0, self._observations)
        return self._observations.copy(), {}

    def step(self, actions: npt.ArrayLike) -> tuple[Floats, Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]:
        """Evaluates `num_envs` designs: genes (num_envs, parameter). `infos`: metrics and `status` as arrays (num_envs,)."""
        if self._over.any():
            raise RuntimeError("an episode is over; reset(options={'reset_mask': ...}) before the next step")
        table = np.asarray(actions)
        if table.shape != self.action_space.shape:
            raise ValueError(f"actions of shape {table.shape}, expected {self.action_space.shape}")
        result = self._task.evaluate(table)
        observed, rewards = self._task.observations(result), self._task.rewards(result)
        terminated, truncated = np.ones(self.num_envs, dtype=bool), np.zeros(self.num_envs, dtype=bool)
        infos: dict[str, Any] = {**result.metrics, "status": result.status}
        if self._mode is AutoresetMode.DISABLED:
            self._over[:] = True
            self._observations = observed
            return observed.copy(), rewards, terminated, truncated, infos
        # The observation of the next episode is zeros, the last of this one is in the info, as Gymnasium's own vector envs have it.
        infos |= {"final_obs": observed, "_final_obs": terminated.copy(), "final_info": dict(infos), "_final_info": terminated.copy()}
        return np.zeros_like(observed), rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to close."""


def gym_id(name: str) -> str:
    """Gymnasium's id of an environment: "exarch/Dram-v0", "exarch/MaestroArchgym-v0"."""
    return "exarch/" + "".join(part.capitalize() for part in name.replace("_", "-").split("-")) + "-v0"


def register() -> None:
    """Makes the environments known to Gymnasium. `import exarch` does, where Gymnasium is there; so does Gymnasium itself, for
    installed packages."""
    for name in environments():
        if gym_id(name) not in gymnasium.registry:
            gymnasium.register(id=gym_id(name), entry_point="exarch.gym:ExarchEnv", vector_entry_point="exarch.gym:ExarchVectorEnv",
                               kwargs={"env": name}, disable_env_checker=True, order_enforce=False)
