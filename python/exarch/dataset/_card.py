"""What a data set says about itself: README.md (a datacard) and croissant.json."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import pathlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from .._environment import environment
from . import _parts

_LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
_KINDS = {
    "space": ("exarch-dram-space", "DRAM controllers: a whole design space, exact",
              "The result of every design of a space of DRAM memory controllers on memory traces, by a model that repeats DRAMSys 4.0 "
              "(as ArchGym has it) to the last digit."),
    "agents": ("exarch-dram-agents", "DRAM controllers: what search agents logged",
               "Evaluations of DRAM memory controllers as search agents asked for them (random walker, genetic algorithm, ant colony, "
               "Bayesian optimisation), over ArchGym's grids of hyperparameters; results are exact."),
}


def about(kind: str, traces: Sequence[str], space: str) -> dict[str, Any]:
    """What makes a data set this data set."""
    return {"dataset": _KINDS[kind][0], "kind": kind, "exarch": _core.version(), "model": environment("dram").model,
            "traces": list(traces), "space": space}


def write(folder: pathlib.Path, facts: Mapping[str, Any], rows: int) -> None:
    """Writes README.md and croissant.json about the parts in the folder."""
    parts = sorted((folder / "data").glob("*.parquet"))
    plan = _parts.parquet().read_schema(parts[0])
    columns = [(field.name, _type(field.type), (field.metadata or {}).get(b"unit", b"").decode(),
                (field.metadata or {}).get(b"doc", b"").decode()) for field in plan]
    _replace(folder / "README.md", _readme(facts, rows, parts, columns))
    _replace(folder / "croissant.json", json.dumps(_croissant(facts, parts, columns), indent=2) + "\n")


def _replace(path: pathlib.Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _type(kind: Any) -> str:
    return "label" if "dictionary" in str(kind) else str(kind)


def command(facts: Mapping[str, Any]) -> str:
    """The command that makes the data set."""
    words = ["python -m exarch.dataset", facts["kind"], "FOLDER", "--traces", *facts["traces"], "--space", facts["space"]]
    if facts["kind"] == "space":
        words += ["--limit", str(facts["limit"])] if facts["limit"] else []
    else:
        words += ["--rows", str(facts["rows"]), "--agents", *facts["agents"], "--seed", str(facts["seed"])]
    return " ".join(words)


_PURPOSE = ("For training and testing surrogate models, for benchmarks of search agents, and for the shape of a design space. Energies and "
            "times are those of the model (one DDR3 module; ArchGym's traces have 10,000 requests), not of a chip.")


def _readme(facts: Mapping[str, Any], rows: int, parts: list[pathlib.Path], columns: list[tuple[str, str, str, str]]) -> str:
    _, title, doc = _KINDS[facts["kind"]]
    size = sum(part.stat().st_size for part in parts)
    lines = ["---", "license: apache-2.0", f"pretty_name: '{title}'", "configs:", "- config_name: default",
             "  data_files: data/*.parquet", "---", "", f"# {title}", "", doc, "",
             f"{rows:,} rows in {len(parts)} Parquet files (`data/`), {size:,} bytes. Traces: {', '.join(facts['traces'])}. "
             f"Space: `{facts['space']}`.", "", "## How it was made", "", f"    {command(facts)}", "",
             f"- Exarch {facts['exarch']}, model `{facts['model']}`; Python {platform.python_version()}, "
             f"pyarrow {_parts.arrow().__version__}.", _same(facts), "- Results are computed, not measured: there is no noise.", "",
             "## What it is for, and what not", "", _PURPOSE, *_split_note(facts), "", "## Columns", "",
             "| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {unit} | {meaning} |" for name, kind, unit, meaning in columns]
    lines += ["", "## Licence", "", f"[Apache-2.0]({_LICENSE}).", "", "## Files", "", "| file | rows | SHA-256 |", "|---|---|---|"]
    lines += [f"| data/{part.name} | {_parts.parquet().read_metadata(part).num_rows:,} | {_digest(part)} |" for part in parts]
    return "\n".join(lines) + "\n"


def _same(facts: Mapping[str, Any]) -> str:
    if "BO" in facts.get("agents", []):
        return ("- The same command gives the same rows on every machine, but for those of BO: its surrogate computes with the machine's "
                "own floating point.")
    return "- The same command gives the same rows on every machine."


def _split_note(facts: Mapping[str, Any]) -> list[str]:
    if facts["kind"] == "space":
        return []
    return ["", "Agents ask the same design again and again. A random split therefore puts many designs on both sides; split by design, or "
            "test on the whole space."]


def _digest(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


_TYPES = {"label": "sc:Text", "string": "sc:Text", "double": "sc:Float"}
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty", "samplingRate": "cr:samplingRate",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
    "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}


def _croissant(facts: Mapping[str, Any], parts: list[pathlib.Path], columns: list[tuple[str, str, str, str]]) -> dict[str, Any]:
    """Metadata of Croissant 1.0. Files have one schema: a record set each would say the same again, so the set of files has it."""
    name, title, doc = _KINDS[facts["kind"]]
    files = [{"@type": "cr:FileObject", "@id": f"data/{part.name}", "name": part.stem, "contentUrl": f"data/{part.name}",
              "contentSize": f"{part.stat().st_size} B", "encodingFormat": "application/x-parquet", "sha256": _digest(part)}
             for part in parts]
    everything = {"@type": "cr:FileSet", "@id": "parts", "name": "parts", "description": "All rows.",
                  "encodingFormat": "application/x-parquet", "includes": "data/*.parquet"}
    fields = [{"@type": "cr:Field", "@id": f"rows/{column}", "name": column,
               "description": ". ".join(text for text in (meaning, f"Unit: {unit}" if unit else "") if text) or column,
               "dataType": _TYPES.get(kind, "sc:Integer"),
               "source": {"fileSet": {"@id": "parts"}, "extract": {"column": column}}} for column, kind, unit, meaning in columns]
    return {"@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0", "name": name,
            "description": f"{title}. {doc} Made by: {command(facts)}", "license": _LICENSE, "version": f"{facts['exarch']}",
            "datePublished": datetime.date.today().isoformat(),
            "citeAs": f"{title}. Exarch {facts['exarch']}, {facts['model']}.",
            "distribution": [*files, everything],
            "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "description": "One row per evaluation.",
                           "field": fields}]}
