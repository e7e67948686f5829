"""Studies: many searches of many agents, as a plan has them."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

from . import _core
from ._checks import whole
from ._listener import Listener, RunProgress
from ._machine import machine
from ._environment import environment, environments
from ._store import report

_PLANS = pathlib.Path(__file__).parent / "share" / "studies"


def plans() -> list[str]:
    """Names of the shipped plans."""
    return sorted(path.stem for path in _PLANS.glob("*.toml"))


class Study:
    """A plan (TOML; docs/formats.md has the grammar): agents with grids of settings, on workloads, under objectives, for many seeds.

        summary = exarch.Study("lottery").run("lottery.db", seeds=3)
        summary["agents"][0]

    Args:
        plan: a shipped plan's name (`plans()`), a file's path (.toml), or the text of a plan.
    """

    def __init__(self, plan: str | os.PathLike[str]) -> None:
        name = os.fspath(plan)
        self.where = name
        if "\n" in name:
            self.where, self.plan = "plan", name
        elif name.endswith(".toml"):
            self.plan = pathlib.Path(name).read_text(encoding="utf-8")
        elif name in plans():
            self.plan = (_PLANS / f"{name}.toml").read_text(encoding="utf-8")
        else:
            raise _core.UsageError(_core.unknown_name("study", name, plans()))

    def run(self, store: str | os.PathLike[str], *, truth: str | os.PathLike[str] = "", seeds: int | None = None,
            threads: int | None = None, backend: str = "auto", progress: RunProgress = None) -> dict[str, Any]:
        """Runs what the store lacks, and summarises it: what `exarch study PLAN --json` prints.

        Args:
            store: the study's store, made or continued.
            truth: the store of the truth, for a plan that wants one; "": beside `store`, with the ending .truth.db.
            seeds: searches per configuration, in place of the plan's.
        """
        path = os.fspath(store)
        if seeds is not None:
            whole("seeds", seeds, 1, 1_000_000)
        beside = os.fspath(truth) or str(pathlib.Path(path).with_suffix(".truth.db"))
        listener = Listener(environment(environments()[0]), progress)
        summary: dict[str, Any] = json.loads(
            _core.study(self.plan, self.where, seeds, beside, machine(backend, threads), path, listener))
        return summary

    @staticmethod
    def report(store: str | os.PathLike[str], path: str | os.PathLike[str]) -> str:
        """The page of `exarch report` about a study's store. Returns its path."""
        return report(store, path)
