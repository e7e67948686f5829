"""Where candidates are evaluated: executors, one for every choice of backend and threads."""

from __future__ import annotations

import functools
import os

from . import _core
from ._checks import whole


@functools.lru_cache(maxsize=8)
def _machine(process: int, backend: str, threads: int) -> _core.Machine:
    return _core.Machine(backend, threads)


def machine(backend: str = "auto", threads: int | None = None) -> _core.Machine:
    """The executor; threads do not survive a fork, so a child process gets its own."""
    return _machine(os.getpid(), backend, 0 if threads is None else whole("threads", threads, 1, 4096))
