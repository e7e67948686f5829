"""Packages that only some functions need: imported when they are needed, with a message that says what to do."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, what: str, package: str | None = None) -> Any:
    """The module; ImportError that says what needs it, and how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = package or module.split(".")[0]
        raise ImportError(f"{what} needs {name}; install it: pip install {name}") from error
