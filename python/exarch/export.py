"""`exarch export --format parquet`: python -m exarch.export STORE.db --out FILE.parquet"""

from __future__ import annotations

import argparse
import sys

from . import _core
from ._plugin import load_plugin
from ._store import open_store


def main(words: list[str] | None = None) -> int:
    """Writes a store as a Parquet file. The exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m exarch.export", description="Writes every candidate of a run store as a row of a "
                                     "Parquet file: parameters, status, metrics, counters, with units in the schema.")
    parser.add_argument("store", metavar="STORE.db")
    parser.add_argument("--out", required=True, metavar="FILE.parquet")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help="a cost model of your own")
    arguments = parser.parse_args(words)
    try:
        for path in arguments.plugin:
            load_plugin(path)
        rows = open_store(arguments.store).export_parquet(arguments.out)
    except (_core.Error, OSError) as error:
        print(f"exarch: {error}", file=sys.stderr)
        return 2 if isinstance(error, _core.UsageError) else 1
    print(f"{rows} rows in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
