"""`source.model: probe` from a YAML file, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import run
from labelnext.config import load_config
from labelnext.errors import ConfigError
from labelnext.runs.check import check
from tests.unit.cli.test_commands import labelnext

PLACES = [[0, 0], [0, 1], [1, 0], [10, 0], [10, 1], [11, 0], [0.5, 0.5], [10.5, 0.5], [5.5, 0.5]]
CLASSES = ["cat", "cat", "cat", "dog", "dog", "dog"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, n_labels: int, more: str = "", model: str = "probe") -> None:
    labels = [*CLASSES[:n_labels], *[None] * (len(PLACES) - n_labels)]
    rows = zip("abcdefghi", PLACES, labels, strict=True)
    lines = [json.dumps({"item_id": i, "embedding": e, "label": c}) for i, e, c in rows]
    (folder / "p.jsonl").write_text("\n".join(lines))
    (folder / "c.yaml").write_text(
        f"source: {{adapter: files, path: p.jsonl, model: {model}}}\n"
        f"acquisition: {{name: margin}}\n{more}"
    )


def config(model: Any, **sections: Any) -> dict[str, Any]:
    return {"source": {"adapter": "files", "path": "p.jsonl", "model": model}, **sections}


def test_a_cold_start_says_so_in_report_terminal_and_json(folder: Path) -> None:
    write(folder, 4, "selection: {budget: 2}\n")  # three cats, one dog
    words = "isn't trained yet, and selection auto goes by coverage until then"
    result = labelnext("run", "c.yaml", folder=folder)
    assert result.returncode == 0, result
    assert words in " ".join(result.stdout.split())
    assert words.replace("'", "&#39;") in (folder / "labelnext-report.html").read_text()
    report = json.loads(run(folder / "c.yaml", dry_run=True).to_json())
    (message,) = [n["message"] for n in report["notices"] if n["code"] == "probe_not_trained"]
    assert words in message
    assert message.endswith("got cat 3, dog 1.")
    assert report["recipe"]["selection"] == "typiclust"


def test_a_trained_probe_ranks_the_item_between_the_classes_first(folder: Path) -> None:
    write(folder, 6, "selection: {method: top_k, budget: 1}\n")
    result = labelnext("run", "c.yaml", "--json", folder=folder)
    report = json.loads(result.stdout)
    assert [row["item_id"] for row in report["batch"]] == ["i"]
    assert report["counts"]["predicted"] == 9
    explained = labelnext("explain", "c.yaml", "g", folder=folder)
    assert "cat" in explained.stdout
    assert check(folder / "c.yaml").ok


@pytest.mark.parametrize(
    "more",
    [
        "selection: {method: top_k}\n",
        "selection: {method: badge}\n",
        "purpose: review\nacquisition: {}\n",
    ],
)
def test_what_needs_predictions_is_refused_with_the_reason(folder: Path, more: str) -> None:
    write(folder, 4)
    text = (folder / "c.yaml").read_text()
    text = text.replace("acquisition: {name: margin}\n", "") if "acqu" in more else text
    (folder / "c.yaml").write_text(text + more)
    result = labelnext("run", "c.yaml", folder=folder)
    assert result.returncode == 1
    assert "The probe isn't trained yet" in result.stderr
    assert not (folder / "ranking.csv").exists()


def test_a_pool_in_parts_has_no_probe(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "parts").mkdir()
    for part in "ab":
        table = pa.table({"item_id": [part], "embedding": [[0.0, 1.0]], "label": ["cat"]})
        pq.write_table(table, folder / "parts" / f"{part}.parquet")
    (folder / "c.yaml").write_text("source: {adapter: files, path: parts, model: probe}\n")
    result = labelnext("run", "c.yaml", folder=folder)
    assert result.returncode == 1
    assert "source.model must be left out" in result.stderr


def test_the_method_is_auto_unless_it_is_named() -> None:
    assert load_config(config("probe")).selection.method == "auto"
    assert load_config(config("probe", selection={"method": "top_k"})).selection.method == "top_k"
    assert load_config(config(None)).selection.method == "top_k"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("prob", "source.model must be probe, or a mapping such as {probe: nearest}; got 'prob'"),
        ({"probe": "neerest"}, "got 'neerest'. Hint: did you mean 'nearest'"),
        ({"prob": "nearest"}, "source.model.prob is not a known key"),
        ({"probe": "os.path"}, "must be a class of sklearn, xgboost, lightgbm or catboost"),
        ({"probe": "logistic", "options": 3}, "source.model.options must be"),
        ({"probe": "os.Model", "allow_import": "yes"}, "source.model.allow_import must be true or"),
        ({"probe": "os.Model", "allow_import": 1}, "source.model.allow_import must be true or"),
    ],
)
def test_a_wrong_model_is_refused_before_the_data_is_read(model: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config(model))
    assert words in str(caught.value)


def test_a_model_that_cannot_be_made_names_its_key(folder: Path) -> None:
    write(folder, 6, model="{probe: logistic, options: {CC: 1}}")
    result = labelnext("run", "c.yaml", folder=folder)
    assert result.returncode == 1
    assert "source.model.options must be one of C, " in result.stderr


@pytest.mark.parametrize("named", ["{ids: []}", "{file: none.txt}"])
def test_similar_to_nothing_is_refused_rather_than_ignored(folder: Path, named: str) -> None:
    write(folder, 6, f"selection: {{method: top_k, options: {{similar_to: {named}}}}}\n")
    (folder / "none.txt").write_text(" \n\n")
    with pytest.raises(ConfigError, match="similar_to must name at least one item; got none in"):
        load_config(folder / "c.yaml")
