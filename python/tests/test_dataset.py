"""Data sets: complete, exact, continued, and in ArchGym's rows."""

import json
import re

import numpy as np
import pytest

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pandas")
import pyarrow.parquet  # noqa: E402

import exarch  # noqa: E402
from exarch import archgym, dataset  # noqa: E402
from exarch.dataset import __main__ as command  # noqa: E402


def frame_of(folder):
    return pyarrow.concat_tables([pyarrow.parquet.read_table(path) for path in sorted((folder / "data").glob("*.parquet"))],
                                 promote_options="none").to_pandas()


def assert_exact(frame):
    """The figures of a data set are those of exarch.evaluate()."""
    for trace, rows in frame.groupby("trace", observed=True):
        designs = rows[[parameter.name for parameter in exarch.environment("dram").parameters]]
        result = exarch.evaluate("dram", designs, workload=trace)
        for name in result:
            assert np.array_equal(rows[name].to_numpy(), result[name]), name


def test_a_space(tmp_path):
    assert dataset.make_space(tmp_path, traces=["cloud-1", "stream"], limit=500, part_rows=300) == 1000
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        "cloud-1-00000.parquet", "cloud-1-00001.parquet", "stream-00000.parquet", "stream-00001.parquet"]
    frame = frame_of(tmp_path)
    assert list(frame["trace"].unique()) == ["cloud-1", "stream"]
    assert list(frame["point"]) == 2 * list(range(500))
    space = exarch.Problem("dram", workload="stream", space="archgym-aco").space
    assert list(space.points(frame.loc[[0, 499], [p.name for p in space.environment.parameters]])) == [0, 499]
    assert_exact(frame)
    schema = pyarrow.parquet.read_schema(tmp_path / "data" / "stream-00000.parquet")
    assert schema.field("total_energy_pj").metadata[b"unit"] == b"pJ"


def test_an_ended_command_goes_on(tmp_path):
    arguments = {"traces": ["cloud-1"], "limit": 500, "part_rows": 300}
    dataset.make_space(tmp_path, **arguments)
    kept, lost = (tmp_path / "data" / f"cloud-1-0000{k}.parquet" for k in (0, 1))
    before, stamp = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    dataset.make_space(tmp_path, **arguments)
    assert lost.read_bytes() == before and kept.stat().st_mtime_ns == stamp
    with pytest.raises(exarch.UsageError, match="another data set"):
        dataset.make_space(tmp_path, **{**arguments, "limit": 400})
    kept.write_text("nonsense")
    with pytest.raises(exarch.Error, match="not a Parquet file"):
        dataset.make_space(tmp_path, **arguments)


def test_agents(tmp_path):
    dataset.make_agents(tmp_path / "all", rows=150, traces=["cloud-1"])
    frame = frame_of(tmp_path / "all")
    assert frame["agent"].value_counts().to_dict() == {"RW": 150, "GA": 150, "ACO": 150, "BO": 150}
    assert set(frame["reward"]) == set(dataset.REWARDS)
    assert_exact(frame)
    dataset.make_agents(tmp_path / "aco", rows=150, traces=["cloud-1"], agents=["ACO"])
    alone = frame_of(tmp_path / "aco")
    there = frame[frame["agent"] == "ACO"].reset_index(drop=True)
    for name in alone.columns:
        assert list(alone[name]) == list(there[name]), name


def test_a_row_says_how_to_get_it_again(tmp_path):
    dataset.make_agents(tmp_path, rows=200, traces=["cloud-1"], agents=["GA"])
    frame = frame_of(tmp_path)
    for _, rows in frame.groupby("seed"):
        first = rows.iloc[0]
        settings = dict(text.split("=") for text in first["hyperparameters"].split(", "))
        problem = exarch.Problem("dram", workload="cloud-1", space=dataset.SPACE, objective=first["reward"])
        search = exarch.Search(problem, first["variant"], population=int(first["population"]), seed=int(first["seed"]), parameters=settings)
        costs = [row for _ in range(int(first["generations"])) for row in _ask_and_tell(search)]
        assert list(rows["total_energy_pj"]) == costs[:len(rows)]


def _ask_and_tell(search):
    result = search.evaluate(search.ask())
    search.tell(result)
    return result["total_energy_pj"].tolist()


def test_what_a_data_set_says_about_itself(tmp_path, capsys):
    dataset.make_space(tmp_path / "one", traces=["cloud-1"], limit=100)
    card = (tmp_path / "one" / "README.md").read_text()
    assert "apache-2.0" in card and "| `total_time_ps` | double | ps |" in card
    words = re.search(r"python -m exarch\.dataset (.*)", card)[1].replace("FOLDER", str(tmp_path / "two")).split()
    assert command.main(words) == 0
    assert "two: 100 rows" in capsys.readouterr().out
    one, two = (tmp_path / name / "data" / "cloud-1-00000.parquet" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    about = json.loads((tmp_path / "one" / "croissant.json").read_text())
    assert [field["name"] for field in about["recordSet"][0]["field"]] == list(frame_of(tmp_path / "one").columns)


def test_croissant(tmp_path):
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    dataset.make_space(tmp_path, traces=["cloud-1"], limit=20)
    rows = list(croissant.Dataset(jsonld=str(tmp_path / "croissant.json")).records("rows"))
    assert [row["rows/point"] for row in rows] == list(range(20))
    assert rows[3]["rows/total_time_ps"] == frame_of(tmp_path)["total_time_ps"][3]


@pytest.mark.parametrize("reward, units", [("power", "archgym"), ("both", "fixed")])
def test_archgyms_rows(tmp_path, reward, units):
    dataset.make_agents(tmp_path, rows=40, traces=["cloud-1"], agents=["RW"])
    part, text = tmp_path / "data" / "rw-cloud-1.parquet", tmp_path / "rows.csv"
    assert dataset.write_archgym([part], text, reward=reward, units=units) == 40
    assert dataset.read_archgym(text, tmp_path / "rows.parquet") == 40
    frame = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pandas()
    knobs = list(frame.columns[1:-3])
    assert list(frame.columns) == ["Reward", *sorted(knobs), "Energy", "Power", "Latency"] and len(knobs) == 10
    env = archgym.make_dramsys_env(reward_formulation=reward, workload="cloud-1", units=units)
    env.reset()
    for _, row in frame.head(10).iterrows():
        _, told, _, seen = env.step({name: row[name] for name in knobs})
        assert np.float32(row["Reward"]) == told
        assert list(np.float32([row["Energy"], row["Power"], row["Latency"]])) == list(seen[0])


def test_rows_as_people_write_them(tmp_path):
    text = tmp_path / "rows.csv"
    text.write_text("""1.5, {'b': 'Open', 'a': 3}, [[1.0, 2e-1, 3]]\n\n[2.5],"{""b"": ""Shut"", ""a"": 4}","[[ 1. 2. 3.]]"\n""")
    assert dataset.read_archgym(text, tmp_path / "rows.parquet") == 2
    frame = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pandas()
    assert frame.to_dict("list") == {"Reward": [1.5, 2.5], "a": [3, 4], "b": ["Open", "Shut"], "Energy": [1.0, 1.0],
                                     "Power": [0.2, 2.0], "Latency": [3.0, 3.0]}


@pytest.mark.parametrize("line, message", [
    ("reward,action,observation", "rows.csv:2: expected reward"),
    ("1,{'a': 3},[[1, 2]]", "2 figures"),
    ("1,{'a': open('x')},[[1, 2, 3]]", "rows.csv:2"),
    ("1,{'a': [3]},[[1, 2, 3]]", "no dict of parameters"),
    ("x,{'a': 3},[[1, 2, 3]]", "rows.csv:2"),
    ("1,{'b': 3},[[1, 2, 3]]", "other parameters"),
    ("1,{'a': 'Open'},[[1, 2, 3]]", "a number in one line and a text in another"),
])
def test_rows_that_are_none(tmp_path, line, message):
    text = tmp_path / "rows.csv"
    text.write_text("1,{'a': 3},[[1, 2, 3]]\n" + line + "\n")
    with pytest.raises(exarch.Error, match=message):
        dataset.read_archgym(text, tmp_path / "rows.parquet")
    assert not (tmp_path / "rows.parquet").exists()


def test_mistakes(tmp_path, capsys):
    with pytest.raises(exarch.UsageError, match="unknown agent"):
        dataset.make_agents(tmp_path, rows=10, agents=["ACQ"])
    with pytest.raises(exarch.UsageError, match="different names"):
        dataset.make_space(tmp_path, traces=["cloud-1", "cloud-1"], limit=10)
    assert command.main(["space", str(tmp_path), "--traces", "clod-1", "--limit", "10"]) == 1
    assert "cloud-1" in capsys.readouterr().err
    text = tmp_path / "x.txt"
    text.write_text("x")
    assert command.main(["to-archgym", str(text), "--out", str(tmp_path / "y")]) == 1
    assert command.main(["from-archgym", str(tmp_path / "none"), "--out", str(tmp_path / "y")]) == 1
    assert not (tmp_path / "y").exists()
