"""ArchGym's TimeloopGym."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .. import _core
from .._environment import environment
from .._evaluate import Evaluator
from .._problem import Problem
from ._base import Env, Floats, StepType, TimeStep, check

#: Where an architecture has the parameters, in their order; a path of two is a table in the table.
_PATHS: tuple[tuple[str, ...], ...] = (
    ("NUM_PEs",), ("MAC_MESH_X",),
    *(path for name in ("IFMAP", "PSUM", "WEIGHTS")
      for path in ((f"{name}_SPAD_CLASS",), *((f"{name}_SPAD_ATRIBUTES", key) for key in ("memory_depth", "block-size", "read_bandwidth",
                                                                                         "write_bandwidth")))),
    ("DUMMY_BUFFER_CLASS",), ("DUMMY_BUFFER_ATTRIBUTES", "depth"), ("DUMMY_BUFFER_ATTRIBUTES", "block-size"),
    ("SHARED_GLB_CLASS",), *(("SHARED_GLB_ATTRIBUTES", key) for key in ("memory_depth", "n_banks", "block-size", "read_bandwidth",
                                                                       "write_bandwidth")))
_WORD_BITS = 16
_TARGETS = (20444.2, 1.7255, 6308563.2)  # energy (uJ), area (mm2), cycles: TimeloopGym's baseline less 30, 15 and 20 %
_FAILED = -1.0  # every figure of an architecture without a mapping
#: Folders of layers that are not called as Exarch's networks, in lower case.
_NETWORKS = {"keywordspotting": "keyword_spotting",
             **{f"cognitiveimpairmentdetection_{theirs}": f"cognitive_{ours}"
                for theirs, ours in (("no_fc", "small_nofc"), ("orig_10_sec", "10s"), ("orig_5_sec", "5s"), ("small_v1", "small_v1"),
                                     ("small_v2", "small_v2"), ("small_v3", "small_v3"))}}


def _space() -> Any:
    return Problem("timeloop", space="archgym").space


def decode_timeloop_action(action: Sequence[float]) -> dict[str, Any]:
    """See `helpers.decode_timeloop_action()`."""
    values = list(_space().values.values())
    numbers = np.asarray(action, dtype=float).reshape(-1)
    if len(numbers) != len(_PATHS):
        raise ValueError(f"an action of {len(numbers)} numbers, expected {len(_PATHS)}")
    made: dict[str, Any] = {}
    for path, number, choices in zip(_PATHS, numbers, values):
        place = int(number)
        if not 1 <= place <= len(choices):
            raise ValueError(f"{'.'.join(path)}: choice {place}; there are 1 to {len(choices)}")
        value = choices[place - 1]
        if len(path) == 1:
            made[path[0]] = f"PE[0..{value - 1}]" if path[0] == "NUM_PEs" else value
            continue
        table = made.setdefault(path[0], {"word-bits": _WORD_BITS})
        table[path[1]] = value
        if path[1] == "block-size":
            table["width" if path[0] == "DUMMY_BUFFER_ATTRIBUTES" else "memory_width"] = value * _WORD_BITS
    return made


def _design(architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Exarch's parameters of TimeloopGym's dict."""
    names = [parameter.name for parameter in environment("timeloop").parameters]
    design: dict[str, Any] = {}
    for name, path in zip(names, _PATHS):
        try:
            value = architecture[path[0]] if len(path) == 1 else architecture[path[0]][path[1]]
        except KeyError:
            raise ValueError(f"the architecture lacks {'.'.join(path)}") from None
        if path == ("NUM_PEs",):
            last = re.fullmatch(r"PE\[0\.\.(\d+)\]", str(value))
            if last is None:
                raise ValueError(f"NUM_PEs '{value}': expected PE[0..167], for example")
            value = int(last.group(1)) + 1
        design[name] = value
    return design


def _network(workload: str) -> str:
    """Exarch's name of one of TimeloopGym's folders of layers: "layer_shapes/AlexNet"."""
    name = os.path.basename(os.path.normpath(workload)).lower()
    plain = _NETWORKS.get(name, name)
    known = environment("timeloop").workloads
    if plain not in known:
        raise _core.UsageError(_core.unknown_name("network", plain, known))
    return plain


class TimeloopEnv:
    """TimeloopGym as its scripts make it. Observations: energy (uJ), area (mm2), cycles, float64 (3,); -1 where there is no mapping. The
    reward is a distance from the targets: lower is better.

    Args:
        script_dir, output_dir, arch_dir, mapper_dir, num_cores: taken, and without effect.
        workload_dir: a network ("alexnet"), or a folder that is called like one ("layer_shapes/AlexNet").
        target_val: energy, area, cycles.
        reward_formulation: "energy", "area", "latency" or "joint". (ArchGym's default, None, has the reward 1e-3 always.)
        mapper: "sampled" takes the mappings that Timeloop's own mapper finds with TimeloopGym's settings, by one thread; "best" the
            best that there are.
        threads: as for `exarch.evaluate()`.
    """

    def __init__(self, script_dir: str | None = None, output_dir: str | None = None, arch_dir: str | None = None,
                 mapper_dir: str | None = None, workload_dir: str | None = None, target_val: Sequence[float] | None = None,
                 num_cores: int | None = None, reward_formulation: str = "joint", *, mapper: str = "sampled",
                 threads: Optional[int] = 1) -> None:
        self.reward_formulation = check("reward_formulation", reward_formulation, ("energy", "area", "latency", "joint"))
        check("mapper", mapper, ("sampled", "best"))
        self.target_val = np.asarray(_TARGETS if target_val is None else target_val, dtype=np.float64)
        if self.target_val.shape != (3,) or not (self.target_val > 0).all():
            raise ValueError("target_val: expected three positive numbers: energy, area, cycles")
        self.network = _network("alexnet" if workload_dir is None else workload_dir)
        self.evaluator = Evaluator("timeloop", {"network": self.network, "mapper": mapper, "fill-rule": "2022"}, threads=threads)
        self.action_space = ActionSpace(_space().nvec)

    def observe(self, actions: Sequence[Any]) -> npt.NDArray[np.float64]:
        """The observations of many architectures at once, float64 (architecture, 3): nested dicts, or 26 numbers counted from 1."""
        designs = [_design(action if isinstance(action, Mapping) else decode_timeloop_action(action)) for action in actions]
        result = self.evaluator.evaluate(designs)
        table = np.stack([result["archgym_energy"], result["archgym_area"], result["cycles"]], axis=1)
        return np.where(result.ok[:, None], table, _FAILED)

    def step(self, action_params: Mapping[str, Any]) -> tuple[npt.NDArray[np.float64], float, bool, dict[str, Any]]:
        """One architecture, as `helpers.decode_timeloop_action()` gives it: observation, reward, True, {}."""
        observation = self.observe([action_params])[0]
        return observation, self.calculate_reward(observation), True, {}

    def step_multiagent(self, action_params: Sequence[Any]) -> tuple[list[npt.NDArray[np.float64]], list[float], bool, dict[str, Any]]:
        """Many architectures."""
        observations = list(self.observe(action_params))
        return observations, [self.calculate_reward(one) for one in observations], True, {}

    def calculate_reward(self, obs: npt.NDArray[np.float64]) -> float:
        """How far an observation is above its targets, relatively."""
        if (obs == _FAILED).any():
            return 500.0 * len(self.target_val)
        above = np.maximum((obs - self.target_val) / self.target_val, 0)
        if self.reward_formulation == "joint":
            return 1e-3 + float(above[0]) + float(above[1]) + float(above[2])
        reward = float(above[("energy", "area", "latency").index(self.reward_formulation)])
        return reward if reward > 0 else 1e-5

    def reset(self) -> npt.NDArray[np.float64]:
        """Random numbers, as in ArchGym."""
        return np.random.default_rng().uniform(-1, 1e10, 3)


class ActionSpace:
    """As far as scripts use Gym's MultiDiscrete: `nvec`, and sample() of numbers from 0."""

    def __init__(self, nvec: npt.NDArray[np.int64]) -> None:
        self.nvec = nvec
        self._random = np.random.default_rng()

    def seed(self, seed: int | None = None) -> None:
        """What sample() draws from then on."""
        self._random = np.random.default_rng(seed)

    def sample(self) -> npt.NDArray[np.int64]:
        """A choice for every parameter."""
        return self._random.integers(self.nvec)


class TimeloopWrapper(Env):
    """What `make_timeloop_env()` gives: dm_env's functions around a `TimeloopEnv`. Every episode is one step."""

    def __init__(self, env: TimeloopEnv, maximize_action: bool, multi_agent: bool) -> None:
        super().__init__(env.evaluator, 1)
        self.environment, self.maximize_action, self.multi_agent = env, maximize_action, multi_agent

    def observe(self, actions: Sequence[Any]) -> npt.NDArray[np.float64]:
        return self.environment.observe(actions)

    def _first(self) -> Floats:
        return self.environment.reset().astype(np.float32)

    def _reward(self, observation: npt.NDArray[np.float64]) -> float:
        reward = self.environment.calculate_reward(observation)
        return -reward if self.maximize_action else reward

    def step(self, action: Any) -> TimeStep:
        """One architecture of 26 numbers, counted from 1; of `multi_agent`, a list of these."""
        if not self.multi_agent:
            return super().step(action)
        if self._reset_next_step:
            return self.reset()
        observations = self.observe(list(action))
        self._reset_next_step = True
        rewards = np.array([self._reward(one) for one in observations], dtype=np.float32)
        return TimeStep(StepType.LAST, rewards, np.array(0.0, dtype=np.float32), observations.astype(np.float32))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "environment":
            raise AttributeError(name)
        return getattr(self.environment, name)


def make_timeloop_env(seed: int = 12234, max_steps: int = 100, maximize_action: bool = False, convert_multi_discrete: bool = True,
                      multi_agent: bool = False, env: TimeloopEnv | None = None) -> TimeloopWrapper:
    """ArchGym's factory for accelerators.

    Args:
        seed, max_steps, convert_multi_discrete: taken, and without effect, as in ArchGym.
        maximize_action: turns the sign of rewards, so that higher is better.
        multi_agent: a step takes many architectures, and evaluates them at once.
        env: a `TimeloopEnv`; None: on AlexNet, with the joint reward.
    """
    return TimeloopWrapper(TimeloopEnv() if env is None else env, maximize_action, multi_agent)
