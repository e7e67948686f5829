"""Problems: a cost model, workloads, the space of designs, and what is best."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import _core, _html
from ._checks import whole
from ._designs import DesignsLike, as_designs, as_table
from ._environment import Environment, EnvironmentLike, WorkloadLike, environment, workload_options

Genes = npt.NDArray[np.uint16]
#: A shipped space's name, a space file, or values by parameter: {"PagePolicy": ["Open", "Closed"], "RequestBufferSize": range(1, 9)}.
SpaceLike = Union[None, str, "os.PathLike[str]", Mapping[str, Any], "Space"]


class Space:
    """The values that each parameter may take. Points are numbered from 0, the first parameter varying slowest; a candidate is a row
    of genes, places in the lists of values. From `Problem.space`."""

    def __init__(self, env: Environment, core: _core.Space) -> None:
        self.environment = env
        self._core = core
        self.name: str = core.name
        self.doc: str = core.doc

    @property
    def size(self) -> int:
        """How many points. UsageError for a space of more than 2^63."""
        return self._core.size()

    @property
    def nvec(self) -> npt.NDArray[np.int64]:
        """How many values each parameter may take, int64 (parameter,): what Gymnasium's MultiDiscrete wants."""
        return np.array([len(self._core.values(p)) for p in range(self._core.dimensions())], dtype=np.int64)

    @property
    def values(self) -> dict[str, list[str] | list[int]]:
        """The values by parameter: labels or whole numbers."""
        lists: dict[str, list[str] | list[int]] = {}
        for p, parameter in enumerate(self.environment.parameters):
            numbers = self._core.values(p)
            lists[parameter.name] = [parameter.labels[v] for v in numbers] if parameter.labels else numbers
        return lists

    def designs(self, genes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Parameter values (candidate, parameter) of genes (candidate, parameter). UsageError for a gene that is no place."""
        return self._core.designs(as_table(np.asarray(genes)))

    def genes(self, points: npt.ArrayLike) -> Genes:
        """Genes uint16 (point, parameter) of point numbers (point,)."""
        numbers = np.atleast_1d(np.asarray(points))
        if numbers.size and (numbers.dtype.kind not in "iu" or int(numbers.min()) < 0):
            raise _core.UsageError("points: expected whole numbers from 0")
        return self._core.genes(np.ascontiguousarray(numbers, dtype=np.uint64))

    def points(self, designs: DesignsLike) -> npt.NDArray[np.uint64]:
        """Point numbers uint64 (design,) of designs. UsageError for one that the space does not have."""
        return self._core.points(as_designs(self.environment, designs))

    def sample(self, count: int, seed: int = 1) -> Genes:
        """Genes uint16 (candidate, parameter), drawn uniformly with repetition; the same for the same seed, and as the command line
        draws them."""
        return self._core.sample(whole("count", count, 0), whole("seed", seed, 0))

    def to_json(self) -> str:
        """The text of a space file."""
        return self._core.to_json()

    def __repr__(self) -> str:
        return f"<exarch.Space {self.name} of {self.environment.name}: {self._core.size_text()} points>"

    def _repr_html_(self) -> str:
        rows = [(name, len(values), ", ".join(map(str, values[:16])) + (" ..." if len(values) > 16 else ""))
                for name, values in self.values.items()]
        return _html.table(["parameter", "how many", "values"], rows, f"{self.name}: {self._core.size_text()} points")


def resolve_space(env: Environment, space: SpaceLike, workloads: list[dict[str, str]]) -> _core.Space:
    """What people write, as the engine has it."""
    if isinstance(space, Space):
        return space._core
    if isinstance(space, Mapping):
        values = {str(name): list(one) if isinstance(one, range) else one for name, one in space.items()}
        text = json.dumps({"name": "own", "parameters": values}, default=_plain)
        return _core.space_from_json(env._core, text)
    return _core.resolve_space(env._core, os.fspath(space) if space is not None else "", workloads)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays, for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a space of {type(value).__name__}")


def objective_text(objective: str | Sequence[str]) -> str:
    """One objective or several, as the engine has them."""
    return objective if isinstance(objective, str) else "; ".join(objective)


class Problem:
    """What a run is about.

        exarch.Problem("dram", workload="cloud-1", space="archgym-aco", objective="latency")

    Args:
        env: an environment's name, an `Environment` or a `Model`.
        workload: a name, options, or a list of these. Searches take one, sweeps any number.
        space: a shipped space's name, a space file's path (.json), or a dict of values by parameter; None: the environment's first.
        objective: a preset's name (`Environment.objectives`) or an expression, "min:total_energy_pj, average_power_mw<=1500";
            several in a list for agents that take several; "": the environment's first.
        fix: parameters that have one value only: {"RefreshPolicy": "NoRefresh"}.

    Raises:
        UsageError: for what is unknown or makes no sense, with the nearest valid name.
    """

    def __init__(self, env: EnvironmentLike, workload: WorkloadLike = None, space: SpaceLike = None,
                 objective: str | Sequence[str] = "", fix: Mapping[str, Any] | None = None) -> None:
        self.environment = environment(env)
        self.workloads = workload_options(self.environment, workload)
        core = resolve_space(self.environment, space, self.workloads)
        if fix:
            assignments = [f"{name}={value}" for name, value in fix.items()]
            core = _core.fix_parameters(self.environment._core, core, assignments)
        self.space = Space(self.environment, core)
        self._core = _core.Problem(self.environment._core, core, self.workloads, objective_text(objective))

    @property
    def objectives(self) -> list[str]:
        """The objectives, written out."""
        return self._core.objectives

    def __repr__(self) -> str:
        names = ", ".join(options[self.environment.primary_option] for options in self.workloads)
        return f"<exarch.Problem {self.environment.name} on {names}, space {self.space.name}, {'; '.join(self.objectives)}>"
