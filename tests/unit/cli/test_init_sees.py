"""init writes what it saw in a file, and names what it writes after the configuration."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.unit.cli.test_commands import labelnext


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("id,cat,dog\na,20,80\nb,50,50\n", {"scale": "percent"}),
        ("id,prediction,confidence\na,cat,87.5\nb,dog,51\n", {"scale": "percent"}),
        ("id,cat,dog\na,-2.5,4.1\nb,0.5,1.5\n", {"logits": "softmax"}),
        ("item_id,p_a,p_b\na,-2.5,4.1\nb,0.5,1.5\n", {"logits": "softmax"}),
        ("id,cat,dog\na,0.2,0.8\nb,0.5,0.5\n", {}),
        ("id,cat,dog\na,x,0.8\n", {}),
    ],
)
def test_init_sets_what_the_numbers_of_a_file_are(
    content: str, seen: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(content)
    done = labelnext("init", "files", "p.csv", folder=tmp_path)
    source = yaml.safe_load((tmp_path / "labelnext.yaml").read_text())["source"]
    usual = {"scale": "fraction", "logits": None}
    assert {key: source[key] for key in usual} == usual | seen
    assert ("look like" in done.stdout) == bool(seen)
    if seen:
        assert labelnext("check", "labelnext.yaml", folder=tmp_path).returncode == 0


def test_two_configurations_of_a_folder_write_different_files(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,cat,dog\na,0.2,0.8\nb,0.5,0.5\n")
    written = []
    for name in ("labelnext.yaml", "cats.yaml", "my dogs.yml"):
        labelnext("init", "files", "p.csv", "--output", name, folder=tmp_path)
        assert labelnext("run", name, folder=tmp_path).returncode == 0
        data = yaml.safe_load((tmp_path / name).read_text())
        written.append([data[s][k] for s, k in (("write", "output"), ("report", "path"))])
    assert written == [
        ["ranking.csv", "labelnext-report.html"],
        ["cats-ranking.csv", "cats-report.html"],
        ["my dogs-ranking.csv", "my dogs-report.html"],
    ]
    assert all((tmp_path / file).exists() for files in written for file in files)


@pytest.mark.parametrize(("name", "ranking"), [("labelnext", "ranking"), ("big", "big-ranking")])
def test_a_folder_of_files_gets_a_folder_for_its_ranking(
    name: str, ranking: str, tmp_path: Path
) -> None:
    (tmp_path / "pool").mkdir()
    table = pa.table({"item_id": ["a", "b"], "probabilities": [[0.5, 0.5], [0.9, 0.1]]})
    pq.write_table(table, tmp_path / "pool" / "part.parquet")
    labelnext("init", "files", "pool", "--output", f"{name}.yaml", folder=tmp_path)
    data = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
    assert data["write"]["output"] == ranking
    assert labelnext("run", f"{name}.yaml", folder=tmp_path).returncode == 0
    assert (tmp_path / ranking / "manifest.json").is_file()


def test_init_names_the_platform_that_a_path_needs(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,cat,dog\na,0.2,0.8\n")
    alone = labelnext("init", "p.csv", folder=tmp_path)
    assert alone.returncode == 1
    assert "Error: the platform must come before a path; got 'p.csv' alone." in alone.stderr
    assert "init files p.csv." in alone.stderr
    other = labelnext("init", "label-studio", "p.csv", folder=tmp_path)
    assert other.returncode == 1
    assert "Error: label-studio reads no path; got 'p.csv'. Hint: leave it out" in other.stderr
    unknown = labelnext("init", "filse", "p.csv", folder=tmp_path)
    assert "did you mean 'files'?" in unknown.stderr
    assert not (tmp_path / "labelnext.yaml").exists()
