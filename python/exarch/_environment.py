"""Environments: cost models with their tables, and workloads by what people write."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from . import _core, _html


class WorkloadWarning(UserWarning):
    """Something about a workload that is legal, but hardly meant."""


@dataclass(frozen=True)
class Parameter:
    """One setting of a design."""

    name: str
    labels: tuple[str, ...]  #: of a categorical parameter; empty for whole numbers
    minimum: int  #: whole numbers: the legal range. Categorical: numbers of labels
    maximum: int
    default: str | int
    unit: str
    doc: str


@dataclass(frozen=True)
class Metric:
    """What a result costs: a float64 column."""

    name: str
    unit: str
    doc: str


@dataclass(frozen=True)
class Counter:
    """What a simulation counts: a column of uint64, int64 or float64."""

    name: str
    unit: str
    doc: str
    dtype: str
    column: int  #: its place in the engine's table


@dataclass(frozen=True)
class WorkloadOption:
    """An option that describes a workload, such as a trace."""

    name: str
    default: str  #: empty: it must be given
    doc: str
    primary: bool  #: the one that workloads are called after


class Environment:
    """A cost model: parameters, design spaces, workloads, counters, metrics and objectives. From `environment(name)`.

    Attributes: `name`, `doc`, `model` (its version, which changes when a result does), `parameters`, `metrics`, `counters`,
    `workload_options`, `spaces` (name, doc), `objectives` (name, expression), `statuses` (how a run ended, by status).
    """

    def __init__(self, core: _core.Environment) -> None:
        about: dict[str, Any] = core.describe()
        self._core = core
        self.name: str = about["name"]
        self.doc: str = about["doc"]
        self.model: str = about["model"]
        self.parameters: tuple[Parameter, ...] = tuple(
            Parameter(p["name"], tuple(p["labels"]), p["minimum"], p["maximum"],
                      p["labels"][p["default"]] if p["categorical"] else p["default"], p["unit"], p["doc"])
            for p in about["parameters"])
        self.metrics: tuple[Metric, ...] = tuple(Metric(*row) for row in about["metrics"])
        dtypes = {"natural": "uint64", "integer": "int64", "real": "float64"}
        self.counters: tuple[Counter, ...] = tuple(
            Counter(c["name"], c["unit"], c["doc"], dtypes[c["kind"]], c["column"]) for c in about["counters"])
        self.workload_options: tuple[WorkloadOption, ...] = tuple(WorkloadOption(*row) for row in about["options"])
        self.spaces: tuple[tuple[str, str], ...] = tuple(about["spaces"])
        self.objectives: tuple[tuple[str, str], ...] = tuple(about["objectives"])
        self.statuses: tuple[str, ...] = tuple(about["statuses"])
        self.artifact: str | None = about["artifact"]

    @property
    def workloads(self) -> list[str]:
        """Names of the workloads that come with Exarch."""
        return self._core.shipped_workloads()

    @property
    def primary_option(self) -> str:
        """The option that workloads are called after: "trace"."""
        return next(option.name for option in self.workload_options if option.primary)

    def describe_workload(self, workload: WorkloadLike = None) -> dict[str, Any]:
        """What is worth knowing about a workload: a trace's requests, a layer's sizes."""
        options = one_workload(self, workload, "describe_workload()")
        facts: dict[str, Any] = _core.workload_facts(self._core, load_workload(self, options))
        return facts

    def status_text(self, status: int) -> str:
        """How a run ended, in words."""
        return self.statuses[status] if status < len(self.statuses) else f"status {status}"

    def default_design(self) -> dict[str, str | int]:
        """Every parameter's default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def __repr__(self) -> str:
        return f"<exarch.Environment {self.name}: {len(self.parameters)} parameters, {len(self.metrics)} metrics>"

    def _repr_html_(self) -> str:
        rows = [(p.name, ", ".join(p.labels) or f"{p.minimum} to {p.maximum}", p.default, p.unit, p.doc) for p in self.parameters]
        return _html.table(["parameter", "values", "default", "unit", "meaning"], rows, f"{self.name}: {self.doc}")


class HasEnvironment:
    """Whatever brings an environment with it: a model written in Python."""

    @property
    def environment(self) -> Environment:
        raise NotImplementedError


EnvironmentLike = Union[str, Environment, HasEnvironment]
#: A name ("cloud-1"), options ({"trace": "cloud-1"}), or a list of these; None: defaults.
WorkloadLike = Union[None, str, Mapping[str, Any], Sequence[Any]]


def environments() -> list[str]:
    """Names of all environments."""
    return _core.environments()


@functools.lru_cache(maxsize=256)
def _wrapped(core: _core.Environment) -> Environment:
    return Environment(core)


def environment(name: EnvironmentLike) -> Environment:
    """The environment of a name. UsageError, with the nearest name, for an unknown one."""
    if isinstance(name, Environment):
        return name
    if isinstance(name, HasEnvironment):
        return name.environment
    return _wrapped(_core.find_environment(name))


def workload_options(env: Environment, workload: WorkloadLike) -> list[dict[str, str]]:
    """What a workload says, as the engine has it: one dict of options per workload, completed."""
    if workload is None:
        return _core.list_workloads(env._core, {env.primary_option: ""})
    if isinstance(workload, str):
        return _core.list_workloads(env._core, {env.primary_option: workload})
    if isinstance(workload, Mapping):
        names = [option.name for option in env.workload_options]
        for name in workload:
            if name not in names:
                raise _core.UsageError(_core.unknown_name("workload option", str(name), names))
        given = {env.primary_option: ""} | {str(name): str(value) for name, value in workload.items()}
        return _core.list_workloads(env._core, given)
    return [options for one in workload for options in workload_options(env, one)]


def one_workload(env: Environment, workload: WorkloadLike, what: str) -> dict[str, str]:
    """The options of the one workload; UsageError for several."""
    options = workload_options(env, workload)
    if len(options) != 1:
        raise _core.UsageError(f"{what} takes one workload, not {len(options)}; call it for each")
    return options[0]


def _stamp(value: str) -> tuple[int, int] | None:
    """What changes when a file does; None for what is no path."""
    if "/" not in value:
        return None
    try:
        status = os.stat(value)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _load(core: _core.Environment, options: tuple[tuple[str, str], ...], stamps: tuple[Any, ...], data: str | None) -> _core.Workload:
    loaded = _core.load_workload(core, dict(options))
    for text in loaded.warnings:
        warnings.warn(text, WorkloadWarning, stacklevel=4)
    return loaded


def load_workload(env: Environment, options: Mapping[str, str]) -> _core.Workload:
    """Loads a workload, or finds it loaded; a file that has changed since is read again. Its warnings are warned of."""
    stamps = tuple(_stamp(value) for value in options.values())
    return _load(env._core, tuple(options.items()), stamps, os.environ.get("EXARCH_DATA"))
