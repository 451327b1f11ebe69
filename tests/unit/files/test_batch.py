"""The batch of a ranking of files, as it is handed to those who send it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.adapter.batch import Batch, Item, Mark, ranked_there
from labelnext.config import load_config
from labelnext.errors import InvalidInput, NotFound
from tests.unit.runs.large.test_faults import cut_short
from tests.unit.runs.large.test_job import settings, spread


def pool(**more: Any) -> pa.Table:
    """Five items; margins 0, 0.2, 0.4, 0.6 and 0.8."""
    sure = [0.5, 0.6, 0.7, 0.8, 0.9]
    columns = {
        "item_id": [str(i) for i in range(5)],
        "probabilities": [[p, 1 - p] for p in sure],
        "url": [f"http://h/{i}.jpg" for i in range(5)],
    }
    return pa.table({**columns, **more})


def ranked(tmp_path: Path, table: pa.Table, files: int = 2, **source: Any) -> dict[str, Any]:
    """The configuration of a pool that was ranked by margin, three of it in the batch."""
    path = spread(table, tmp_path / "data", files)
    options = {"adapter": "files", "path": str(path), "classes": ["cat", "dog"], **source}
    name = "margin" if "probabilities" in table.column_names else "mean_object_confidence"
    how = {"acquisition": {"name": name}, "selection": {"budget": 3}}
    config = settings(tmp_path, path, source=options, **how)
    labelnext.run(config)
    return config


def batch(config: dict[str, Any]) -> Batch:
    adapter: Any = load_config(config).open_adapter()
    found: Batch = adapter.batch("labelnext")
    return found


def test_a_batch_of_parts_holds_images_and_what_the_model_says(tmp_path: Path) -> None:
    found = batch(ranked(tmp_path, pool(), columns={"media": "url"}))
    assert found.items == (
        Item("0", "http://h/0.jpg", (Mark("cat", None, 0.5),)),
        Item("1", "http://h/1.jpg", (Mark("cat", None, 0.6),)),
        Item("2", "http://h/2.jpg", (Mark("cat", None, 0.7),)),
    )
    assert (found.unit, found.classes, found.run) == ("items", ("cat", "dog"), "labelnext")
    assert (found.origin.platform, found.origin.dataset) == ("files", "data")
    assert found.ranking is not None
    assert found.ranking.scores == pytest.approx([0, 0.2, 0.4])
    assert found.ranking.priorities == pytest.approx([1, 2 / 3, 1 / 3])
    assert (found.ranking.acquisition, found.ranking.of) == ("margin", "items")


def test_of_a_committee_the_newest_version_with_a_prediction_is_shown(tmp_path: Path) -> None:
    def boxes(confidence: float) -> list[dict[str, Any]]:
        return [{"confidence": confidence, "class": "dog", "box": [0.0, 0.0, 0.5, 1.0]}]

    columns = {"v1": [boxes(0.25), boxes(0.5)], "v2": [boxes(0.75), None]}
    table = pa.table({"item_id": ["a", "b"], "url": ["http://h/a", "http://h/b"], **columns})
    path = spread(table, tmp_path / "data", 1)
    names = {"objects": ["v1", "v2"], "media": "url"}
    source = {"adapter": "files", "path": str(path), "classes": ["cat", "dog"], "columns": names}
    how = {"acquisition": {"name": "committee_certainty"}, "selection": {"budget": 2}}
    config = settings(tmp_path, path, source=source, **how)
    labelnext.run(config)
    marks = {item.item_id: item.marks for item in batch(config).items}
    assert marks["a"] == (Mark("dog", (0.0, 0.0, 0.5, 1.0), 0.75),)
    assert marks["b"] == (Mark("dog", (0.0, 0.0, 0.5, 1.0), 0.5),)


def test_a_class_with_its_confidence_is_shown_as_the_class_of_the_item(tmp_path: Path) -> None:
    answers = {"prediction": ["dog", "cat", None], "confidence": [0.75, 0.25, None]}
    table = pa.table({"item_id": ["a", "b", "c"], "url": ["http://h/i.jpg"] * 3, **answers})
    found = batch(ranked(tmp_path, table, columns={"media": "url"}))
    assert found.unit == "items"
    marks = {item.item_id: item.marks for item in found.items}
    assert marks == {"a": (Mark("dog", None, 0.75),), "b": (Mark("cat", None, 0.25),)}


def test_a_batch_without_a_column_of_images_is_its_ids(tmp_path: Path) -> None:
    found = batch(ranked(tmp_path, pool()))
    assert found.items == (Item("0", None), Item("1", None), Item("2", None))


def test_objects_become_boxes_and_relative_paths_begin_at_the_configuration(
    tmp_path: Path,
) -> None:
    box = [0.0, 0.0, 0.5, 1.0]
    objects = [[{"confidence": c, "class": n, "box": box}] for c, n in ((0.5, "dog"), (0.25, None))]
    table = pa.table(
        {"item_id": ["a", "b", "c"], "objects": [*objects, []], "file": ["x/a.png", "", None]}
    )
    config = ranked(tmp_path, table, columns={"media": "file"})
    found = batch(config)
    items = {item.item_id: item for item in found.items}
    assert items["a"].media == str(Path("x/a.png").absolute())
    assert items["a"].marks == (Mark("dog", (0.0, 0.0, 0.5, 1.0), 0.5),)
    assert (items["b"].media, items["b"].marks, items["c"].marks) == ("", (), ())
    assert found.unit == "objects"


@pytest.mark.parametrize("files", [1, 2])
def test_a_column_of_images_that_is_not_there_is_named(tmp_path: Path, files: int) -> None:
    config = ranked(tmp_path, pool(), files, columns={"media": "uri"})
    with pytest.raises(InvalidInput, match=r"columns.media must be one of item_id, .*got 'uri'"):
        batch(config)


def test_a_column_without_any_image_is_refused(tmp_path: Path) -> None:
    table = pool(url=pa.array([None] * 5, pa.string()))
    with pytest.raises(InvalidInput, match=r"got 'url', empty for 3 items of the batch"):
        batch(ranked(tmp_path, table, columns={"media": "url"}))


def test_a_file_that_broke_since_is_named_or_left_out(tmp_path: Path) -> None:
    config = ranked(tmp_path, pool(), 5, columns={"media": "url"})
    holds = {pq.read_table(f)["item_id"][0].as_py(): f for f in (tmp_path / "data").iterdir()}
    cut_short(holds["1"])
    with pytest.raises(InvalidInput, match=f"data/{holds['1'].name}: it must be a whole Parquet"):
        batch(config)
    config["source"]["broken"] = "skip"
    assert [item.media and item.media[-5:] for item in batch(config).items] == [
        "0.jpg",
        None,
        "2.jpg",
    ]


def test_a_batch_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    config = ranked(tmp_path, pool())
    (lines,) = (tmp_path / "ranking").glob("*/batch.jsonl")
    first, second, third = lines.read_text().splitlines()
    for damaged in (first, f"{first}\n{second}\n{third[:9]}", "1\n2\n3"):
        lines.write_text(damaged)
        with pytest.raises(InvalidInput, match=r"batch.jsonl in .* is incomplete") as caught:
            batch(config)
        assert str(caught.value.hint).startswith("run labelnext run")


@pytest.mark.parametrize("content", [None, "{}", "[]", "of somebody else", '{"run": "labelnext"}'])
def test_a_folder_that_holds_no_ranking_gives_no_batch(tmp_path: Path, content: str | None) -> None:
    config = ranked(tmp_path, pool())
    manifest = tmp_path / "ranking" / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    with pytest.raises(NotFound, match="has no ranking, not that of run 'labelnext'"):
        batch(config)


def test_what_a_platform_lacks_is_left_out_and_the_rest_moves_up(tmp_path: Path) -> None:
    found = batch(ranked(tmp_path, pool()))
    ranking, left_out = ranked_there(found, ["2", "0", "7"], "project 7")
    assert ranking.item_ids.tolist() == ["0", "2"]
    assert ranking.ranks.tolist() == [1, 2]
    assert np.array_equal(ranking.priorities, [1.0, 0.5])
    assert left_out == ["1 item of the batch is not in project 7: 1."]
    with pytest.raises(InvalidInput, match="none of 3 is: 0, 1, 2"):
        ranked_there(found, ["7"], "project 7")
