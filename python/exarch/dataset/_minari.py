"""Stores as data sets of Minari, for offline reinforcement learning."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import whole
from .._optional import need
from .._store import Store


def write_minari(store: str | os.PathLike[str], dataset_id: str, *, limit: int = 10_000, infeasible_reward: float = -1e12,
                 **about: Any) -> Any:
    """A search or a sweep as a data set of Minari, in its folder (MINARI_DATASETS_PATH): an episode of one step per evaluation, as
    `exarch.gym` has them. Observations are zeros, then the metrics; the action is genes; the reward is the cost with a minus sign.

    Minari keeps a group of an HDF5 file per episode, some 18 KB: this is for thousands of evaluations, Parquet files are for millions.

    Args:
        store: about one workload.
        dataset_id: "dram/ga-v0".
        limit: only the first so many evaluations; 0: all.
        infeasible_reward: of designs that break a constraint or whose run failed.
        about: what else `minari.create_dataset_from_buffers()` takes: author="...", description="...".

    Returns:
        The `minari.MinariDataset`.

    Raises:
        UsageError: for a store of several workloads or objectives. ImportError without minari, h5py and gymnasium.
    """
    minari, collector = need("minari", "write_minari()"), need("minari.data_collector", "write_minari()", "minari")
    need("h5py", "write_minari()")
    gym = need("exarch.gym", "write_minari()", "gymnasium")
    opened = Store(store)
    env, space = opened.environment, opened.space
    if len(opened.workloads) != 1 or ";" in opened.objective:
        raise _core.UsageError(f"{opened.path}: a data set is about one workload and one objective; this store has "
                               f"{', '.join(opened.workloads)} and '{opened.objective}'")
    whole("limit", limit, 0)
    metrics = [metric.name for metric in env.metrics]
    episodes: list[Any] = []

    def visit(columns: dict[str, npt.NDArray[Any]]) -> None:
        room = len(columns["candidate"]) if limit == 0 else min(len(columns["candidate"]), limit - len(episodes))
        if room <= 0:
            return
        table = np.stack([columns[name] for name in metrics])
        costs, _ = _core.score(env._core, opened.objective, table, columns["status"])
        observed, rewards = gym.as_observations(table.T), gym.as_rewards(costs, infeasible_reward)
        genes = np.stack([_places(space._core.values(p), columns[parameter.name]) for p, parameter in enumerate(env.parameters)], axis=1)
        for i in range(room):
            episodes.append(collector.EpisodeBuffer(
                id=len(episodes), observations=np.stack([np.zeros(len(metrics)), observed[i]]), actions=genes[i:i + 1],
                rewards=[float(rewards[i])], terminations=[True], truncations=[False], infos={}))

    opened.for_each_chunk(visit)
    spaces = gym.gymnasium.spaces
    made = {"algorithm_name": opened.identity.get("agent", "sweep"), "description": f"{env.name} ({env.model}) on {opened.workloads[0]}: "
            f"{opened.objective}, space {space.name}"}
    return minari.create_dataset_from_buffers(
        dataset_id, episodes, action_space=spaces.MultiDiscrete(space.nvec),
        observation_space=spaces.Box(-np.inf, np.inf, (len(metrics),), np.float64), data_format="hdf5", **{**made, **about})


def _places(values: list[int], column: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The place of each value in the list."""
    order = np.argsort(values)
    places: npt.NDArray[np.int64] = order[np.searchsorted(np.asarray(values)[order], column)]
    return places
