"""Cost models of your own in shared libraries: docs/plugins.md."""

from __future__ import annotations

import os
import pathlib

from . import _core
from ._environment import Environment


def load_plugin(path: str | os.PathLike[str]) -> Environment:
    """Loads a plug-in, as `--plugin` of the command line does. Its model is an environment from then on, whose stores can be opened.

    A plug-in runs inside this process with all its rights: load only what you trust.

    Raises:
        UsageError: for a file that is no plug-in, of another version of the interface, or with tables that have no meaning.
        Error: where its evaluate() fails; it is called for a signature, which is a part of `Environment.model`.
    """
    return Environment(_core.load_plugin(os.fspath(path)))


def include_dir() -> str:
    """The folder of exarch_plugin.h, which plug-ins are compiled with: c++ -shared -fPIC -I..."""
    return str(pathlib.Path(__file__).parent / "include")
