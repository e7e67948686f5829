"""What ArchGym's environments share."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._evaluate import Evaluator

if TYPE_CHECKING:
    from typing_extensions import Self

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


class Env:
    """What both environments share: dm_env's functions, and where episodes begin and end."""

    def __init__(self, evaluator: Evaluator, max_steps: int) -> None:
        self._evaluator = evaluator
        self._max_steps = max_steps
        self._reset_next_step = True
        self._steps = 0

    def observe(self, actions: Sequence[Any]) -> npt.NDArray[np.float64]:
        """The observations of many actions at once, float64 (action, figure), which ArchGym has no function for."""
        raise NotImplementedError

    def _first(self) -> Floats:
        raise NotImplementedError

    def _reward(self, observation: npt.NDArray[np.float64]) -> float:
        raise NotImplementedError

    def reset(self) -> TimeStep:
        """Starts an episode."""
        self._reset_next_step = False
        self._steps = 0
        return TimeStep(StepType.FIRST, None, None, self._first())

    def step(self, action: Mapping[str, Any] | Sequence[float]) -> TimeStep:
        """Evaluates a design: a dict of parameters, or numbers in ArchGym's order."""
        if self._reset_next_step:
            return self.reset()
        observation = self.observe([action])[0]
        self._steps += 1
        reward = np.array(self._reward(observation), dtype=np.float32)
        over = self._steps == self._max_steps
        self._reset_next_step = over
        step_type, discount = (StepType.LAST, 0.0) if over else (StepType.MID, 1.0)
        shaped = observation.astype(np.float32).reshape(self._first().shape)
        return TimeStep(step_type, reward, np.array(discount, dtype=np.float32), shaped)

    def get_info(self) -> dict[str, Any]:
        """Nothing, as ArchGym has it."""
        return {}

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


def check(name: str, value: str, valid: Sequence[str]) -> str:
    if value not in valid:
        raise ValueError(f"{name} '{value}': expected {', '.join(valid[:-1])} or {valid[-1]}")
    return value
