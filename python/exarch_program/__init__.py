"""The command `exarch`: the program that came with the package.

A package of its own, so that the command does not wait for NumPy.
"""

import importlib.util
import os
import pathlib
import sys


def program() -> str:
    """The program's path."""
    spec = importlib.util.find_spec("exarch")
    if spec is None or spec.origin is None:
        sys.exit("the package exarch is not installed beside its command; pip install it again")
    return str(pathlib.Path(spec.origin).parent / "bin" / "exarch")


def main() -> None:
    """Becomes the program. What it leaves to Python is done by this interpreter."""
    path = program()
    os.environ.setdefault("EXARCH_PYTHON", sys.executable)
    os.execv(path, [path, *sys.argv[1:]])
