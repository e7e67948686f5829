"""The command `python -m exarch.dataset`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import _core
from .._logged import GRIDS
from . import SPACE, TRACES, make_agents, make_space, read_archgym, write_archgym

_EXAMPLES = """examples:
  python -m exarch.dataset space dram-space                       every design on every trace: 7,077,888 rows
  python -m exarch.dataset space look --traces cloud-1 --limit 1000
  python -m exarch.dataset agents dram-agents                     400,000 rows of four agents
  python -m exarch.dataset agents aco-only --agents ACO --rows 100000
  python -m exarch.dataset to-archgym look/data/*.parquet --out rows.csv
  python -m exarch.dataset from-archgym rows.csv --out rows.parquet
"""


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m exarch.dataset", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Makes data sets of the DRAM controller: Parquet files, a datacard, croissant.json.",
                                     epilog=_EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, text in (("space", "every design on every trace"), ("agents", "what agents asked, and what they were told")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("folder", help="made, or continued")
        verb.add_argument("--traces", nargs="+", default=list(TRACES), metavar="TRACE", help=f"default: {' '.join(TRACES)}")
        verb.add_argument("--space", default=SPACE, help=f"default: {SPACE}")
        verb.add_argument("--threads", type=int, help="default: all")
        if name == "space":
            verb.add_argument("--limit", type=int, default=0, metavar="N", help="only the first so many designs")
        else:
            verb.add_argument("--rows", type=int, default=25_000, metavar="N", help="of each agent on each trace (default: 25000)")
            verb.add_argument("--agents", nargs="+", default=list(GRIDS), metavar="NAME", help=f"default: {' '.join(GRIDS)}")
            verb.add_argument("--seed", type=int, default=1, help="default: 1")
    verb = verbs.add_parser("from-archgym", help="rows that ArchGym's agents logged, as Parquet")
    verb.add_argument("rows", help="reward, {action}, [[energy, power, latency]]")
    verb.add_argument("--out", required=True, help="Parquet file")
    verb = verbs.add_parser("to-archgym", help="a data set as the rows of ArchGym")
    verb.add_argument("parts", nargs="+", help="Parquet files of a data set")
    verb.add_argument("--out", required=True, help="text file")
    verb.add_argument("--reward", default="power", choices=["power", "latency", "both"], help="default: power")
    verb.add_argument("--units", default="archgym", choices=["archgym", "fixed"], help="of the latency: fixed is milliseconds")
    return parser


def _progress(done: int, total: int) -> None:
    print(f"{done:,} of {total:,} rows", file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> str:
    if options.verb == "space":
        rows = make_space(options.folder, traces=options.traces, space=options.space, limit=options.limit, threads=options.threads,
                          progress=_progress)
        return f"{options.folder}: {rows:,} rows"
    if options.verb == "agents":
        rows = make_agents(options.folder, rows=options.rows, agents=options.agents, traces=options.traces, space=options.space,
                           seed=options.seed, threads=options.threads, progress=_progress)
        return f"{options.folder}: {rows:,} rows"
    if options.verb == "from-archgym":
        return f"{options.out}: {read_archgym(options.rows, options.out):,} rows"
    return f"{options.out}: {write_archgym(options.parts, options.out, reward=options.reward, units=options.units):,} rows"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    options = _arguments().parse_args(arguments)
    try:
        print(_run(options))
    except (_core.UsageError, _core.Error, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, _core.UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
