"""ArchGym's environments as its scripts import them, without its simulators.

In a script of ArchGym, change the two imports; the rest stays:

    from exarch import archgym as dramsys_wrapper     # was: from arch_gym.envs import dramsys_wrapper
    from exarch.archgym import helpers                # was: from arch_gym.envs.envHelpers import helpers

    env = dramsys_wrapper.make_dramsys_env(reward_formulation="power")
    env.reset()
    _, reward, c, info = env.step({"PagePolicy": "Open", "Scheduler": "FrFcfs", "SchedulerBuffer": "Bankwise",
                                   "RequestBufferSize": 8, "RespQueue": "Fifo", "RefreshPolicy": "AllBank",
                                   "RefreshMaxPostponed": 8, "RefreshMaxPulledin": 8, "Arbiter": "Simple",
                                   "MaxActiveTransactions": 128})

A step gives (step type, reward, discount, observation), a dm_env TimeStep; the observation is [[energy, power, latency]], float32 of
shape (1, 3). What is kept of ArchGym as it was released, because scripts depend on it:

- The first step of an environment that was not reset is a reset: its reward is None, its observation random numbers.
- A DRAM episode ends after 100 steps, whatever `max_steps` says. The step that follows is a reset again.
- Rewards are target / |target - value| without a bound: the targets are 1 (power, W) and 0.1 (latency).
- The latency is the number that DRAMSys prints, over 1e9, whatever the unit behind it (ps, ns or us). `units="fixed"` takes
  milliseconds always; then 0.1 means 0.1 ms. For `units="archgym"`, the default, see docs/models.md, "archgym_latency".
"""

from __future__ import annotations

import csv
import pathlib
import random
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks import whole
from .._environment import WorkloadLike
from .._evaluate import Evaluator
from ._base import Env, Floats, StepType, TimeStep, check
from ._timeloop import TimeloopEnv, TimeloopWrapper, decode_timeloop_action, make_timeloop_env

_PARAMETERS = ("PagePolicy", "Scheduler", "SchedulerBuffer", "RequestBufferSize", "RespQueue", "RefreshPolicy", "RefreshMaxPostponed",
               "RefreshMaxPulledin", "Arbiter", "MaxActiveTransactions")
_LABELS = {
    "PagePolicy": ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
    "Scheduler": ("Fifo", "FrFcfsGrp", "FrFcfs"),
    "SchedulerBuffer": ("Bankwise", "ReadWrite", "Shared"),
    "RespQueue": ("Fifo", "Reorder"),
    "RefreshPolicy": ("NoRefresh", "AllBank"),
    "Arbiter": ("Simple", "Fifo", "Reorder"),
}
_STEPS = 100  # of an episode; the released environment never looks at max_steps
_TARGET_POWER, _TARGET_LATENCY = 1.0, 0.1


class DRAMSysEnv(Env):
    """What `make_dramsys_env()` gives. Observations: energy, power, latency."""

    def __init__(self, reward_formulation: str, workload: WorkloadLike, units: str, seed: int | None, threads: int | None) -> None:
        self.reward_formulation = check("reward_formulation", reward_formulation, ("power", "latency", "both"))
        self.units = check("units", units, ("archgym", "fixed"))
        self._random = np.random.default_rng(seed)
        super().__init__(Evaluator("dram", workload, threads=threads), _STEPS)

    def _first(self) -> Floats:
        return self._random.uniform(0, 1e10, (1, 3)).astype(np.float32)

    def observe(self, actions: Sequence[Any]) -> npt.NDArray[np.float64]:
        designs = [one if isinstance(one, Mapping) else helpers().action_decoder_ga(one) for one in actions]
        result = self._evaluator.evaluate(designs)
        latency = result["archgym_latency"] if self.units == "archgym" else result["total_time_ps"] / 1e9
        return np.stack([np.round(result["total_energy_pj"], 2) / 1e9, result["archgym_power"], latency], axis=1)

    def _reward(self, observation: npt.NDArray[np.float64]) -> float:
        with np.errstate(divide="ignore"):
            power = _TARGET_POWER / np.abs(observation[1] - _TARGET_POWER)
            latency = _TARGET_LATENCY / np.abs(observation[2] - _TARGET_LATENCY)
        return float({"power": power, "latency": latency, "both": power * latency}[self.reward_formulation])


class MaestroEnv(Env):
    """What `make_maestro_env()` gives. Observations: runtime, throughput, energy, area, float32 (4,)."""

    def __init__(self, reward_formulation: str, max_steps: int, workload: str, layer_id: int, decode: str, threads: int | None) -> None:
        self.reward_formulation = check("reward_formulation", reward_formulation, ("latency", "energy", "area"))
        check("decode", decode, ("shipped", "intended"))
        options = {"model": workload, "layer": layer_id, "decode": decode}
        super().__init__(Evaluator("maestro-archgym", options, threads=threads), max_steps)
        # ArchGym's 17 genes; what follows, `outer_seed`, is no gene.
        self._genes = [parameter.name for parameter in self._evaluator.environment.parameters][:17]

    def _first(self) -> Floats:
        return np.zeros(4, dtype=np.float32)

    def observe(self, actions: Sequence[Any]) -> npt.NDArray[np.float64]:
        result = self._evaluator.evaluate([self._design(action) for action in actions])
        names = ("runtime_cycles", "archgym_throughput", "archgym_energy", "archgym_area")
        # What ArchGym shows where the tool gave nothing.
        return np.where(result.ok[:, None], np.stack([result[name] for name in names], axis=1), [1e20, -1.0, -1.0, -1.0])

    def _design(self, action: Any) -> Mapping[str, Any]:
        if isinstance(action, Mapping):
            return action
        numbers = np.asarray(action).reshape(-1)
        if len(numbers) != len(self._genes):
            raise ValueError(f"an action of {len(numbers)} numbers, expected {len(self._genes)}")
        labels = {p.name: p.labels for p in self._evaluator.environment.parameters if p.labels}
        return {name: labels[name][int(value)] if name in labels else int(value) for name, value in zip(self._genes, numbers)}

    def _reward(self, observation: npt.NDArray[np.float64]) -> float:
        runtime, _, energy, area = observation
        if self.reward_formulation == "latency":
            return float(1 / runtime) if runtime > 0 else -1.0
        if self.reward_formulation == "energy":
            return float(1 / (runtime * energy * 1e4)) if energy > 0 else -1.0
        return float(1 / area) if area > 0 else -1.0


def make_dramsys_env(seed: int = 12234, max_steps: int = 100, reward_formulation: str = "power", *, workload: WorkloadLike = "stream",
                     units: str = "archgym", threads: Optional[int] = 1) -> DRAMSysEnv:
    """ArchGym's factory.

    Args:
        seed, max_steps: taken, and without effect, as in ArchGym; the seed draws the observations of resets.
        reward_formulation: "power", "latency" or "both".
        workload: "stream", "random", "cloud-1", "cloud-2" (ArchGym's files, "stream.stl", too), or options of `exarch.evaluate()`.
            ArchGym's own was whatever its configuration file named.
        units: "archgym" reads the printed time without its unit; "fixed" in milliseconds.
    """
    if isinstance(workload, str) and workload.endswith(".stl") and "/" not in workload:
        workload = workload[: -len(".stl")]
    return DRAMSysEnv(reward_formulation, workload, units, seed, threads)


def make_maestro_env(seed: int = 12234, rl_form: str = "random_walker", reward_formulation: str = "latency",
                     reward_scaling: str = "false", max_steps: int = 100, num_agents: int = 10, *, workload: str = "resnet18",
                     layer_id: int = 2, decode: str = "shipped", threads: Optional[int] = 1) -> MaestroEnv:
    """ArchGym's factory for mappings of accelerators, with one agent.

    Args:
        seed, rl_form, reward_scaling, num_agents: taken, and without effect.
        reward_formulation: "latency", "energy" or "area". (ArchGym's default, "power", ends its environment with an error.)
        max_steps: an episode's steps.
        workload, layer_id: a network and its layer.
        decode: "shipped" alters genes as the released environment does: all that are not 0 are alike. "intended" takes them as they
            are. See docs/models.md, "Environment `maestro-archgym`".
    """
    return MaestroEnv(reward_formulation, max_steps, workload, layer_id, decode, threads)


__all__ = ["DRAMSysEnv", "MaestroEnv", "StepType", "TimeStep", "TimeloopEnv", "TimeloopWrapper", "helpers", "make_dramsys_env",
           "make_maestro_env", "make_timeloop_env"]


class helpers:  # noqa: N801  (ArchGym's name)
    """What ArchGym's scripts ask of its helpers about DRAM and mappings."""

    def get_dimensions(self, workload: str, layer_id: int) -> tuple[dict[str, int], list[int]]:
        """A layer's sizes by name (K, C, Y, X, R, S, T), and in order; layers are numbered from 0."""
        path = pathlib.Path(_core.data_dir()) / "maestro" / "models" / f"{workload}.csv"
        if not path.exists():
            networks = sorted(file.stem for file in path.parent.glob("*.csv"))
            raise _core.UsageError(_core.unknown_name("network", workload, networks))
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        row = {name: int(value) for name, value in rows[whole("layer_id", layer_id, 0, len(rows) - 1)].items()}
        return row, list(row.values())

    def random_walk(self) -> list[int]:
        """Ten random numbers, a design: labels by number. Draws from Python's global generator, as ArchGym does."""
        highest = {name: len(labels) - 1 for name, labels in _LABELS.items()}
        most = {"RequestBufferSize": 8, "RefreshMaxPostponed": 8, "RefreshMaxPulledin": 8, "MaxActiveTransactions": 128}
        # ArchGym draws PowerDownPolicy before Arbiter and leaves it out: the same seed gives the same designs.
        drawn: list[int] = []
        for name in _PARAMETERS:
            if name == "Arbiter":
                random.randint(0, 2)
            drawn.append(random.randint(0, highest[name]) if name in highest else random.randint(1, most[name]))
        return drawn

    def action_decoder_ga(self, act_encoded: Sequence[float]) -> dict[str, Any]:
        """The design of ten numbers, as a dict."""
        return {name: _LABELS[name][int(value)] if name in _LABELS else int(value) for name, value in zip(_PARAMETERS, act_encoded)}

    def decode_timeloop_action(self, action: Sequence[float]) -> dict[str, Any]:
        """TimeloopGym's architecture of 26 numbers, each counted from 1, as its nested dict."""
        return decode_timeloop_action(action)
