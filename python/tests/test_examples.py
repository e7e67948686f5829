"""The examples run, and find what they look for."""

import ast
import contextlib
import importlib.util
import io
import json
import pathlib
import re
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_tune_dram(capsys):
    load("tune_dram").main()
    assert "a regret of" in capsys.readouterr().out


def test_policy_gradient(capsys):
    pytest.importorskip("gymnasium")
    best = load("policy_gradient").main(steps=20, num_envs=128)
    assert -66e6 < best < 0


def test_optimisers(capsys):
    regrets = load("optimisers").main(generations=4, population=16)
    assert "exarch ga" in regrets
    assert all(0 <= regret < 0.2 for regret in regrets.values())


def printed_by(notebook, folder, monkeypatch):
    """What a notebook prints and shows, run in the folder: in a kernel of its own where there is nbclient, else cell by cell here."""
    path = EXAMPLES / notebook
    if importlib.util.find_spec("nbclient") is not None and importlib.util.find_spec("ipykernel") is not None:
        import nbclient
        import nbformat

        done = nbclient.NotebookClient(nbformat.read(path, as_version=4), timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
        outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
        return "".join(output.get("text", "") + str(output.get("data", "")) for output in outputs)
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    names: dict = {}
    monkeypatch.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        for cell in cells:
            *lines, last = ast.parse(cell).body
            exec(compile(ast.Module(lines, []), notebook, "exec"), names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), notebook, "eval"), names)
                print(value._repr_html_() if hasattr(value, "_repr_html_") else value)
            else:
                exec(compile(ast.Module([last], []), notebook, "exec"), names)
    return shown.getvalue()


NOTEBOOKS = {
    "tune_dram.ipynb": r"a regret of (?P<figure>[\d.]+) %",  # a designer of memory controllers
    "learn_policy.ipynb": r"ga: regret (?P<figure>[\d.]+) %",  # a researcher of machine learning
    "map_network.ipynb": r"(?P<figure>[\d.]+) times less energy x delay",  # who maps networks
}


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks(notebook, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    if notebook == "learn_policy.ipynb":
        pytest.importorskip("gymnasium")
    code = [cell for cell in json.loads((EXAMPLES / notebook).read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(code) <= 10 and not any(cell["outputs"] for cell in code)
    shown = printed_by(notebook, tmp_path, monkeypatch)
    figure = float(re.search(NOTEBOOKS[notebook], shown).group("figure"))
    assert figure > 2 if notebook == "map_network.ipynb" else figure < 5
    assert "<table" in shown


def test_there_is_no_other_notebook():
    assert {path.name for path in EXAMPLES.glob("*.ipynb")} == set(NOTEBOOKS)
