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
- An episode ends after 100 steps, whatever `max_steps` says. The step that follows is a reset again.
- Rewards are target / |target - value| without a bound: the targets are 1 (power, W) and 0.1 (latency).
- The latency is the number that DRAMSys prints, over 1e9, whatever the unit behind it (ps, ns or us). `units="fixed"` takes
  milliseconds always; then 0.1 means 0.1 ms. For `units="archgym"`, the default, see docs/models.md, "archgym_latency".
"""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from ._environment import WorkloadLike
from ._evaluate import Evaluator

Floats = npt.NDArray[np.float32]


class StepType(enum.IntEnum):
    """As dm_env has it, for machines without dm_env."""

    FIRST = 0
    MID = 1
    LAST = 2

    def first(self) -> bool:
        return self is StepType.FIRST

    def mid(self) -> bool:
        return self is StepType.MID

    def last(self) -> bool:
        return self is StepType.LAST


class TimeStep(NamedTuple):
    """As dm_env has it."""

    step_type: Any
    reward: Any
    discount: Any
    observation: Any

    def first(self) -> bool:
        return bool(self.step_type == StepType.FIRST)

    def mid(self) -> bool:
        return bool(self.step_type == StepType.MID)

    def last(self) -> bool:
        return bool(self.step_type == StepType.LAST)


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


class DRAMSysEnv:
    """What `make_dramsys_env()` gives: a dm_env environment by its functions."""

    def __init__(self, reward_formulation: str, workload: WorkloadLike, units: str, seed: int | None, threads: int | None) -> None:
        if reward_formulation not in ("power", "latency", "both"):
            raise ValueError(f"reward_formulation '{reward_formulation}': expected power, latency or both")
        if units not in ("archgym", "fixed"):
            raise ValueError(f"units '{units}': expected archgym or fixed")
        self.reward_formulation = reward_formulation
        self.units = units
        self._evaluator = Evaluator("dram", workload, threads=threads)
        self._random = np.random.default_rng(seed)
        self._reset_next_step = True
        self._steps = 0

    def reset(self) -> TimeStep:
        """Starts an episode; the observation is random, as ArchGym's is."""
        self._reset_next_step = False
        self._steps = 0
        return TimeStep(StepType.FIRST, None, None, self._random.uniform(0, 1e10, (1, 3)).astype(np.float32))

    def step(self, action: Mapping[str, Any] | Sequence[float]) -> TimeStep:
        """Evaluates a design: a dict of parameters, or ten numbers as `helpers().random_walk()` gives them."""
        if self._reset_next_step:
            return self.reset()
        design = action if isinstance(action, Mapping) else helpers().action_decoder_ga(action)
        observation = self.observe([design])[0]
        self._steps += 1
        reward = np.array(self._reward(observation), dtype=np.float32)
        over = self._steps == _STEPS
        self._reset_next_step = over
        step_type, discount = (StepType.LAST, 0.0) if over else (StepType.MID, 1.0)
        return TimeStep(step_type, reward, np.array(discount, dtype=np.float32), observation[None, :].astype(np.float32))

    def observe(self, designs: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
        """Energy, power and latency of many designs at once, float64 (design, 3), which ArchGym has no function for."""
        result = self._evaluator.evaluate(designs)
        latency = result["archgym_latency"] if self.units == "archgym" else result["total_time_ps"] / 1e9
        return np.stack([np.round(result["total_energy_pj"], 2) / 1e9, result["archgym_power"], latency], axis=1)

    def _reward(self, observation: npt.NDArray[np.float64]) -> float:
        with np.errstate(divide="ignore"):
            power = _TARGET_POWER / np.abs(observation[1] - _TARGET_POWER)
            latency = _TARGET_LATENCY / np.abs(observation[2] - _TARGET_LATENCY)
        return float({"power": power, "latency": latency, "both": power * latency}[self.reward_formulation])

    def get_info(self) -> dict[str, Any]:
        """Nothing, as ArchGym has it."""
        return {}

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> DRAMSysEnv:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


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


class helpers:  # noqa: N801  (ArchGym's name)
    """What ArchGym's scripts ask of its helpers about DRAM."""

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
