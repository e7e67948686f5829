"""Exarch: exact architecture design-space exploration.

Evaluate designs of memory controllers and accelerators, thousands in a call:

    >>> import exarch
    >>> result = exarch.evaluate("dram", [{"PagePolicy": "Open"}, {"PagePolicy": "Closed"}], workload={"trace": "cloud-1"})
    >>> result["total_time_ps"]
    array([6.5720000e+07, 2.4997375e+08])

Let an agent search for the best one:

    >>> problem = exarch.Problem("dram", workload="cloud-1", space="archgym-aco", objective="latency")
    >>> report = exarch.Search(problem, "ga", population=256).run(generations=20)

docs/python.md goes on from here. Everything that may take long runs without the interpreter's lock, on as many threads as the machine
has, and ends by Ctrl-C.
"""

from __future__ import annotations

import importlib.util as _importlib
import pathlib as _pathlib

from . import _core
from ._core import Cancelled, Error, UsageError
from ._environment import Counter, Environment, Metric, Parameter, WorkloadOption, WorkloadWarning, environment, environments
from ._evaluate import Evaluator, evaluate
from ._model import Model
from ._plugin import include_dir, load_plugin
from ._problem import Problem, Space
from ._result import Result
from ._search import AgentInfo, FoundDesign, Search, SearchReport, agents
from ._store import Store, open_store, report
from ._study import Study, plans
from ._sweep import Sweep, SweepReport
from ._truth import Truth

_core.use_data_dir(str(_pathlib.Path(__file__).parent / "share" / "exarch"))

__version__ = _core.version()

if _importlib.find_spec("gymnasium") is not None:
    from .gym import register as _register_gym

    _register_gym()

__all__ = [
    "AgentInfo", "Cancelled", "Counter", "Environment", "Error", "Evaluator", "FoundDesign", "Metric", "Model", "Parameter", "Problem",
    "Result", "Search", "SearchReport", "Space", "Store", "Study", "Sweep", "SweepReport", "Truth", "UsageError", "WorkloadOption",
    "WorkloadWarning", "agents", "environment", "environments", "evaluate", "include_dir", "load_plugin", "open_store", "plans", "report",
]
