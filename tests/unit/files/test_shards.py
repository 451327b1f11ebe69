"""Files whose names don't say what they are, and folders that hold a table in parts."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.adapter import open_adapter
from labelnext.adapter.formats import recognition
from labelnext.config.config import load_config
from labelnext.errors import InvalidInput, LabelnextError, NotFound, Unavailable
from labelnext.runs.run import run
from tests.unit.files.reading import order, read

#: Least margin first: 0.04, 0.1, 0.6, 0.8.
ROWS = [
    {"item_id": name, "probabilities": {"cat": cat, "dog": round(1 - cat, 2)}}
    for name, cat in [("a", 0.9), ("b", 0.55), ("c", 0.2), ("d", 0.48)]
]
ORDER = ["d", "b", "c", "a"]
LINES = [json.dumps(row) + "\n" for row in ROWS]
TABLE = ["a,0.9,0.1\n", "b,0.55,0.45\n", "c,0.2,0.8\n", "d,0.48,0.52\n"]


def written(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / "parts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder / "parts"


@pytest.mark.parametrize(
    "name", ["a.txt", "a.log", "a.jsonl.1", "a.jsonlines", "a.out", "predictions", "a.csv"]
)
def test_json_lines_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    assert order(read(tmp_path, name, "".join(LINES))) == ORDER
    assert recognition(tmp_path / name).why == "its content is JSON on each line"


@pytest.mark.parametrize("name", ["predictions", "a.txt", "a.data"])
def test_parquet_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    shutil.move(tmp_path / "a.parquet", tmp_path / name)
    assert order(read(tmp_path, name)) == ORDER


@pytest.mark.parametrize(
    "files",
    [
        {f"part-{n:04d}.json": line for n, line in enumerate(LINES)},
        {"p_1.json": ROWS[:2], "p_2.json": ROWS[2:]},
        {
            "_SUCCESS": "",
            ".p-0.json.crc": "x",
            "p-0.json": LINES[0] + LINES[1],
            "p-1.json": ROWS[2:],
        },
        {"x/0.jsonl": LINES[0] + LINES[1], "y/0.jsonl": LINES[2] + LINES[3]},
        {"results-0-of-2": LINES[0] + LINES[1], "results-1-of-2": LINES[2] + LINES[3]},
        {f"{n}.csv": f"id,cat,dog\n{TABLE[n]}{TABLE[n + 1]}" for n in (0, 2)},
        {row["item_id"] + ".json": row["probabilities"] for row in ROWS},
        {row["item_id"] + ".json": {"probabilities": row["probabilities"]} for row in ROWS},
        {
            row["item_id"] + ".json": [
                {"label": k, "score": v} for k, v in row["probabilities"].items()
            ]
            for row in ROWS
        },
    ],
    ids=[
        "records",
        "lists",
        "Spark",
        "folders",
        "no ending",
        "CSV",
        "scores",
        "nameless",
        "outputs",
    ],
)
def test_a_folder_of_shards_is_one_pool(tmp_path: Path, files: dict[str, Any]) -> None:
    written(tmp_path, files)
    assert order(read(tmp_path, "parts")) == ORDER


def test_ids_of_csv_shards_stay_as_they_are(tmp_path: Path) -> None:
    head = "id,prediction,confidence\n"
    written(tmp_path, {"1.csv": f"{head}007,a,0.9\n", "2.csv": f"{head}1e5,b,0.6\n"})
    assert order(read(tmp_path, "parts")) == ["1e5", "007"]


def test_an_id_in_two_shards_is_refused(tmp_path: Path) -> None:
    head = "id,cat,dog\n"
    written(
        tmp_path, {"1.csv": head + TABLE[0] + TABLE[1], "2.csv": f"{head}a,0.5,0.5\n{TABLE[2]}"}
    )
    with pytest.raises(InvalidInput, match="id must be distinct, or .* repeated ids: a"):
        read(tmp_path, "parts")


def test_shards_with_other_columns_are_named(tmp_path: Path) -> None:
    written(tmp_path, {"1.csv": "id,cat,dog\na,0.9,0.1\n", "2.csv": "name,p\nb,0.5\n"})
    said = "must have the same columns; 1.csv has id, cat, dog, 2.csv has name, p"
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, "parts")


def test_a_broken_line_of_a_shard_is_named_with_its_file(tmp_path: Path) -> None:
    lines = [json.dumps({**ROWS[0], "item_id": f"i{n}"}) for n in range(12)]
    written(
        tmp_path, {"p0.jsonl": "\n".join(lines) + "\n", "p1.jsonl": LINES[0] + "{oops\n" + LINES[1]}
    )
    (notice,) = read(tmp_path, "parts").notices
    assert notice.message.startswith("Left out 1 of 15 records: p1.jsonl line 2: it must be JSON;")


def test_empty_shards_and_columns_of_other_types_go_together(tmp_path: Path) -> None:
    head = "id,cat,dog\n"
    written(tmp_path, {"0.csv": "", "1.csv": head, "2.csv": head + TABLE[0] + TABLE[1]})
    assert order(read(tmp_path, "parts")) == ["b", "a"]
    numbers = "".join(f"i{n},0.{n + 10},0.{90 - n}\n" for n in range(20))
    written(tmp_path, {"3.csv": head + numbers, "4.csv": f"{head}odd,x,0.5\n"})
    (notice,) = (one for one in read(tmp_path, "parts").notices if one.code == "left_out")
    assert "4.csv line 2: cat must be a number; got 'x'" in notice.message


def test_a_folder_of_several_kinds_names_what_it_holds(tmp_path: Path) -> None:
    written(tmp_path, {"a.csv": "id,cat,dog\n" + TABLE[0], "b.jsonl": LINES[1]})
    held = r"has 2 files: 1 \.csv, 1 \.jsonl \(a\.csv, b\.jsonl\). Hint: for the \.csv files alone"
    with pytest.raises(NotFound, match=held):
        read(tmp_path, "parts")
    assert read(tmp_path, "parts/*.csv").item_ids.tolist() == [ROWS[0]["item_id"]]


def test_a_shard_that_is_no_record_is_left_out_by_its_name(tmp_path: Path) -> None:
    files: dict[str, Any] = {f"{n:02}.json": {"cat": 0.5 + n / 40, "dog": 0.5 - n / 40}
                             for n in range(19)}  # fmt: skip
    written(tmp_path, {**files, "odd.json": '"text"'})
    pool = read(tmp_path, "parts")
    assert order(pool) == [f"{n:02}" for n in range(19)]
    (notice,) = (one for one in pool.notices if one.code == "left_out")
    assert 'odd.json: a record must be a JSON object; got "text"' in notice.message


def test_files_of_one_name_in_several_folders_keep_these(tmp_path: Path) -> None:
    rows = {f"{row['item_id']}/pred.json": row["probabilities"] for row in ROWS}
    written(tmp_path, rows)
    assert order(read(tmp_path, "parts")) == [f"{name}/pred" for name in ORDER]
    shutil.rmtree(tmp_path / "parts")
    outputs = {
        name: [{"label": k, "score": v} for k, v in row.items()] for name, row in rows.items()
    }
    written(tmp_path, outputs)
    assert order(read(tmp_path, "parts")) == [f"{name}/pred" for name in ORDER]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_ranking_in_a_folder_of_shards_is_no_shard(tmp_path: Path, ending: str) -> None:
    written(tmp_path, {f"{n}.csv": f"id,cat,dog\n{TABLE[n]}{TABLE[n + 1]}" for n in (0, 2)})
    (tmp_path / "parts" / "labelnext.yaml").write_text(
        f"source: {{adapter: files, path: .}}\nwrite: {{output: ranking.{ending}}}\n"
    )
    for _ in range(2):
        assert run(load_config(tmp_path / "parts" / "labelnext.yaml")).counts["ranked"] == 4


def test_a_coco_data_set_beside_its_predictions_is_named(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 9, "height": 9} for n in (1, 2)]
    box = {"category_id": 1, "bbox": [1, 1, 2, 2]}
    folder = written(
        tmp_path,
        {
            "instances.json": {"images": images, "categories": [{"id": 1, "name": "cat"}]},
            "results.json": [{**box, "image_id": n, "score": n / 3} for n in (1, 2)],
        },
    )
    adapter = open_adapter("files", directory=tmp_path, path="parts")
    with pytest.raises(InvalidInput, match="instances.json is a COCO data set") as error:
        adapter.read()
    assert f"images at {folder / 'instances.json'}" in (error.value.hint or "")
    adapter = open_adapter(
        "files", directory=tmp_path, path="parts/results.json", images="parts/instances.json"
    )
    assert adapter.read().item_ids.tolist() == ["1", "2"]


JSON_PARTS = {f"part-{n}.json": [row] for n, row in enumerate(ROWS)}
CSV_PARTS = {f"{n}/p.csv": "item_id,cat,dog\n" + line for n, line in enumerate(TABLE)}


@pytest.mark.parametrize(
    ("files", "glob"),
    [
        (JSON_PARTS, "parts/*.json"),
        (JSON_PARTS, "parts/part-?.json"),
        (JSON_PARTS, "parts/*"),
        ({"rows.jsonl": "".join(LINES), "_SUCCESS": "", "notes.md": "notes"}, "parts/r*l"),
        (CSV_PARTS, "parts/**/*.csv"),
        (CSV_PARTS, "parts/[0-3]/p.csv"),
    ],
)
def test_a_glob_of_all_files_of_a_folder_is_the_folder(
    tmp_path: Path, files: dict[str, Any], glob: str
) -> None:
    written(tmp_path, files)
    assert order(read(tmp_path, glob)) == ORDER


def test_a_ranking_in_the_folder_of_a_glob_is_no_part_of_the_pool(tmp_path: Path) -> None:
    folder = written(tmp_path, {"p.csv": "item_id,cat,dog\n" + "".join(TABLE)})
    (folder / "labelnext.yaml").write_text(
        "source: {adapter: files, path: '*.csv'}\nwrite: {output: ranking.csv}\n"
    )
    for _ in range(2):
        assert len(run(load_config(folder / "labelnext.yaml")).ranking.item_ids) == len(ROWS)


@pytest.mark.parametrize(
    ("glob", "ids"), [("parts/*.json", None), ("parts/*/*.json", [ROWS[0]["item_id"]])]
)
def test_a_glob_of_some_files_takes_these_alone(
    tmp_path: Path, glob: str, ids: list[str] | None
) -> None:
    written(tmp_path, {**JSON_PARTS, "old/more.json": [ROWS[0]], "notes.txt": "-"})
    pool = read(tmp_path, glob)
    assert order(pool) == ORDER if ids is None else pool.item_ids.tolist() == ids


@pytest.mark.parametrize("glob", ["parts/*.tsv", "parts/*.nope", "parts/*.parquet"])
def test_a_glob_that_matches_nothing_says_what_there_is(tmp_path: Path, glob: str) -> None:
    written(tmp_path, {"a.json": [ROWS[0]], ".hidden/b.csv": "x", "notes.txt": "-"})
    told = r"matches none of 2 files: 1 \.json, 1 \.txt \(a\.json, notes\.txt\)\."
    with pytest.raises(NotFound, match=told):
        read(tmp_path, glob)
    (found,) = open_adapter("files", directory=tmp_path, path=glob).check()
    assert found.level == "error"
    assert re.search(told, found.message)


def test_an_empty_folder_and_one_of_hidden_files_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(NotFound, match=r"the folder '.*parts' is empty\."):
        read(tmp_path, "parts")
    written(tmp_path, {".hidden": "x"})
    with pytest.raises(NotFound, match="is empty: it holds nothing but hidden files"):
        read(tmp_path, "parts")


def test_links_to_folders_are_not_followed_and_told(tmp_path: Path) -> None:
    written(tmp_path, {"elsewhere.txt": "-"})
    (tmp_path / "parts").rename(tmp_path / "other")
    folder = written(tmp_path, {"a.csv": "id,cat,dog\n" + TABLE[0], "other.bin": "-"})
    (folder / "link").symlink_to(tmp_path / "other")
    with pytest.raises(NotFound, match="has 2 files: 1 .csv, 1 .bin") as caught:
        read(tmp_path, "parts")
    assert "elsewhere" not in str(caught.value)
    with pytest.raises(NotFound) as caught:
        read(tmp_path, "parts/*.nope")
    assert caught.value.hint == "links to folders aren't followed (link)."


def test_a_folder_of_images_and_a_note_says_how_to_read_the_images(tmp_path: Path) -> None:
    written(tmp_path, {"a.png": "-", "b.JPG": "-", "other.bin": "-"})
    for path in ("parts", "parts/*.png"):
        with pytest.raises(NotFound) as caught:
            read(tmp_path, path)
        assert "set source.format: images" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("path", "other"), [("'*.csv'", "notes.txt"), ("'*.csv'", "other.bin"), (".", "notes.txt")]
)
def test_a_ranking_is_never_written_over_a_file_that_is_read(
    tmp_path: Path, path: str, other: str
) -> None:
    folder = written(tmp_path, {"a.csv": "item_id,cat,dog\n" + "".join(TABLE), other: "-"})
    before = (folder / "a.csv").read_bytes()
    (folder / "labelnext.yaml").write_text(
        f"source: {{adapter: files, path: {path}}}\nwrite: {{output: a.csv}}\n"
    )
    with pytest.raises(
        LabelnextError, match=r"write\.output must (differ|not be one of the files)"
    ):
        run(load_config(folder / "labelnext.yaml"))
    assert (folder / "a.csv").read_bytes() == before


@pytest.mark.parametrize("name", ["pipe", "pipe.csv"])
def test_a_glob_passes_pipes_and_reports_by(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, {"a.csv": "id,cat,dog\n" + TABLE[0], "report.html": "<html>"})
    os.mkfifo(folder / name)
    assert len(read(tmp_path, "parts/*.csv")) == 1


@pytest.mark.parametrize("path", ["parts", "parts/*.json"])
@pytest.mark.parametrize("name", ["notes.txt", "README", "readme.rst", "LICENCE.txt", "Thumbs.db"])
def test_notes_beside_files_do_not_count(tmp_path: Path, path: str, name: str) -> None:
    written(tmp_path, {"a.json": [ROWS[0]], "b.json": [ROWS[1]], name: "what this is"})
    assert len(read(tmp_path, path)) == 2


def lock(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let nobody list folders of that name, not even who may read everything."""
    listed = os.scandir

    def scandir(place: Any = ".") -> Any:
        if str(place).endswith(name):
            raise PermissionError(13, "Permission denied", str(place))
        return listed(place)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("path", ["parts/**/*.csv", "parts/**/*.parquet", "parts"])
def test_a_folder_inside_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    folder = written(tmp_path, {"a.csv": "id,cat,dog\n" + TABLE[0], "locked/b.csv": "-"})
    if not path.endswith(".csv"):
        (folder / "a.csv").unlink()
        pa.parquet.write_table(pa.table({"item_id": ["a"], "p_x": [1.0]}), folder / "a.parquet")
    lock(monkeypatch, "locked")
    with pytest.raises(Unavailable, match=r"can't list the folder '.*locked': Permission denied"):
        read(tmp_path, path)


def test_a_folder_that_a_glob_leaves_out_need_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"a.csv": "id,cat,dog\n" + TABLE[0], "locked/b.csv": "-"})
    lock(monkeypatch, "locked")
    assert len(read(tmp_path, "parts/*.csv")) == 1


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_ids_in_several_files_are_told(tmp_path: Path, ending: str) -> None:
    rows = [{"image": i, "class": "cat", "score": s, "x1": 0, "y1": 0, "x2": 1, "y2": 1}
            for i, s in (("1", 0.9), ("2", 0.4))]  # fmt: skip
    for split, ids in (("train", "12"), ("val", "13")):
        some = [{**row, "image": i} for row, i in zip(rows, ids, strict=True)]
        cells = [",".join(map(str, row.values())) for row in some]
        text = "\n".join([",".join(rows[0]), *cells]) if ending == "csv" else json.dumps(some)
        (tmp_path / f"{split}.{ending}").write_text(text)
    pool = open_adapter("files", directory=tmp_path, path=".").read()  # type: ignore[attr-defined]  # of the files adapter
    (told,) = [one for one in pool.notices if one.code == "in_several_files"]
    assert told.message == "1 id is in several files, and read as one item each: 1."
    assert pool.item_ids.tolist() == ["1", "2", "3"]
    assert pool.objects.counts.tolist() == [2, 1, 1]
