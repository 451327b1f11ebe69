"""The table of file formats: which one reads a path, and which options go with it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import Context, Options, get_adapter, open_adapter
from labelnext.adapter import formats as adapter_formats
from labelnext.adapter.formats import Format, format_names, get_format, recognised
from labelnext.adapter.options import described
from labelnext.config import load_config
from labelnext.errors import ConfigError, UnknownName
from labelnext.pool import Pool
from labelnext.ranking import rank
from tests.unit.files.conftest import BUILT_IN


def of_adapter(**source: Any) -> dict[str, Any]:
    return {"source": {"adapter": "files", **source}}


@pytest.fixture
def some_formats(hold: Callable[..., None]) -> None:
    """A table of the formats that messages name, so that no message changes with a new format."""
    names = "arrow coco csv datasets json jsonl label-studio npz parquet parquet-folder spacy yolo"
    hold({name: get_format(name) for name in names.split()})


def read_nothing(path: Path | str, options: Any, context: Context) -> Pool:
    return Pool([])


def test_the_table_holds_the_formats_of_the_files_adapter() -> None:
    again = "run .venv/bin/pip install -e . after a change of pyproject.toml"
    assert adapter_formats.FORMATS.own_names() == BUILT_IN, again
    assert set(BUILT_IN) <= set(format_names())
    assert {"csv", "json", "jsonl", "parquet", "parquet-folder"} <= set(BUILT_IN)
    with pytest.raises(
        UnknownName, match=r"format must be one of .*\bcsv, .*\bjsonl, .*did you mean 'csv'"
    ):
        get_format("cvs")


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_format_describes_itself_and_its_options(name: str) -> None:
    found = get_format(name)
    assert found.summary
    assert found.known_by
    assert all(ending.startswith(".") and ending.islower() for ending in found.endings)
    assert [n for n, field in described(found.Options).items() if not field.description] == []


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("p.csv", {}, "csv"),
        ("P.CSV", {}, "csv"),
        ("p.ndjson", {}, "jsonl"),
        ("p.npz", {}, "npz"),
        ("p.pq", {}, "parquet"),
        ("p.json", {}, "json"),
        ("p.json", {"label_config": "s.xml"}, "label-studio"),
        ("p.json", {"images": "i.json"}, "coco"),
        ("p.csv", {"images": "i.json"}, "csv"),
        ("folder", {}, "parquet-folder"),
        ("folder.csv", {}, "parquet-folder"),
        ("*.csv", {}, "csv"),
        ("a[1]/p.csv", {}, "csv"),
        ("a[1]/*.pq", {}, "parquet-folder"),
    ],
)
def test_a_path_tells_its_format(
    tmp_path: Path, path: str, source: dict[str, Any], expected: str
) -> None:
    for name in ("folder", "folder.csv", "a[1]"):
        (tmp_path / name).mkdir()
    assert recognised(tmp_path / path, None, source).name == expected


def test_a_url_is_of_parquet_files_unless_a_format_is_stated() -> None:
    assert recognised("s3://bucket/pool.csv").name == "parquet-folder"
    assert recognised("s3://bucket/pool.csv", "parquet").name == "parquet-folder"
    assert recognised("s3://bucket/pool.csv", "csv").name == "csv"
    with pytest.raises(
        ConfigError, match="path must be a file on this machine to be read as a CSV file"
    ):
        open_adapter("files", path="s3://bucket/pool.csv", format="csv").read()


def test_a_stated_format_decides_and_that_of_each_file_names_a_folder_too(tmp_path: Path) -> None:
    assert recognised(tmp_path / "p.txt", "csv").name == "csv"
    assert recognised(tmp_path / "p.json", "coco").name == "coco"
    assert recognised(tmp_path, "parquet").name == "parquet-folder"
    assert recognised(tmp_path / "*.parquet", "parquet").name == "parquet-folder"
    assert recognised(tmp_path / "p.parquet", "parquet").name == "parquet"
    config = load_config(of_adapter(path=str(tmp_path), format="parquet", broken="skip"))
    assert config.to_dict()["source"]["format"] == "parquet"


def test_a_path_of_no_format_lists_what_is_recognised(tmp_path: Path) -> None:
    rule = r"must end in one of .*.csv, .*, or be a folder, glob or URL of Parquet files; got"
    with pytest.raises(ConfigError, match=f"path {rule} 'p.txt'.*Hint: set source.format"):
        recognised(tmp_path / "p.txt")


def test_a_test_of_the_content_goes_before_an_ending(
    tmp_path: Path, also: Callable[..., None]
) -> None:
    def is_ours(path: Path | str) -> bool:
        return "ours_of_test" in json.loads(Path(path).read_text())

    also(Format("ours-of-test", "", (".json",), Options, read_nothing, recognises=is_ours))
    (tmp_path / "ours.json").write_text('{"ours_of_test": []}')
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "broken.json").write_text("[")
    found = [recognised(tmp_path / f"{n}.json").name for n in ("ours", "other", "broken", "gone")]
    assert found == ["ours-of-test", "json", "json", "json"]
    assert recognised(tmp_path / "ours.json", given=["images"]).name == "coco"


def test_formats_that_claim_a_path_alike_are_named(
    tmp_path: Path, also: Callable[..., None]
) -> None:
    also(Format("test-points", "", (".csv",), Options, read_nothing))
    (tmp_path / "p.csv").write_text("item_id\na\n")
    files = open_adapter("files", directory=tmp_path, path="p.csv")
    with pytest.raises(
        ConfigError, match=r"'p.csv' matches csv, test-points. Hint: set source.format"
    ):
        files.read()
    assert len(open_adapter("files", directory=tmp_path, path="p.csv", format="csv").read()) == 1
    assert (
        len(open_adapter("files", directory=tmp_path, path="p.csv", format="test-points").read())
        == 0
    )


#: An option that is not read, by the path.
FOREIGN = [
    ("p.csv", "images: nothere.json", "images must be left out of csv files; it belongs to coco."),
    ("p.csv", "label_config: nope.xml", "it belongs to label-studio."),
    (
        "p.csv",
        "broken: skip",
        "it belongs to parquet-folder. Hint: csv reads classes, multilabel, sc",
    ),
    (
        "p.jsonl",
        "older: [v1.json]",
        "older must be left out of jsonl files; it belongs to coco and yolo.",
    ),
    ("p.jsonl", "older: 7", "older must be left out of jsonl files; it belongs to coco and yolo."),
    ("p.parquet", "broken: skip", "left out of parquet files; it belongs to parquet-folder."),
    ("p.npz", "labels: majority", "labels must be left out of npz files; it belongs to label-stud"),
    ("p.npz", "labels: null", "labels must be left out of npz files; it belongs to label-studio."),
    ("p.npz", "label_config: s.xml", "belongs to label-studio."),
    ("p.npz", "images: i.json", "Hint: npz reads classes, multilabel, scale"),
    ("*.parquet", "from_name: choice", "from_name must be left out of parquet-folder files"),
]


@pytest.mark.usefixtures("some_formats")
@pytest.mark.parametrize(("path", "line", "message"), FOREIGN)
def test_an_option_that_is_not_read_is_refused_with_its_line(
    tmp_path: Path, path: str, line: str, message: str
) -> None:
    config = tmp_path / "labelnext.yaml"
    config.write_text(f"source:\n  adapter: files\n  path: '{path}'\n  {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert str(caught.value).startswith(f"{config}, line 4: source.{line.partition(':')[0]} must")
    assert message in str(caught.value)


@pytest.mark.usefixtures("some_formats")
def test_an_option_that_is_not_read_is_refused_by_open_adapter() -> None:
    with pytest.raises(ConfigError) as caught:
        open_adapter("files", path="p.json", images="i.json", columns={"item_id": "name"})
    assert str(caught.value) == (
        "columns must be left out of coco files; it belongs to arrow, csv, datasets, json, "
        "jsonl, npz, parquet and parquet-folder. Hint: coco reads images and older."
    )
    with pytest.raises(ConfigError, match=r"named as the items are found in source.pictures\.$"):
        open_adapter("files", path="p.json", images="i.json", columns={"media": "file"})


def test_the_defaults_of_other_formats_may_be_written_out() -> None:
    defaults = {"images": None, "older": [], "labels": "latest", "broken": "stop"}
    written = load_config(of_adapter(path="p.csv", **defaults)).to_dict()
    assert written == load_config(of_adapter(path="p.csv")).to_dict()


@pytest.mark.parametrize("path", ["p.csv", "p.jsonl", "p.parquet", "data/*.parquet"])
def test_a_wrong_name_of_a_column_is_told_at_its_line(tmp_path: Path, path: str) -> None:
    config = tmp_path / "labelnext.yaml"
    columns = "columns:\n    label: y\n    item_idd: name\n"
    config.write_text(f"source:\n  adapter: files\n  path: {path}\n  {columns}")
    rule = (
        "line 6: source.columns.item_idd must be one of confidence, cost, .*did you mean 'item_id'"
    )
    with pytest.raises(ConfigError, match=rule):
        load_config(config)


def test_a_column_of_the_wrong_kind_is_told_by_its_key() -> None:
    with pytest.raises(
        ConfigError, match=r"^source.columns.label must be text or a list of texts; got 7"
    ):
        load_config(of_adapter(path="p.csv", columns={"label": 7}))


def test_columns_of_npz_have_names_of_their_own() -> None:
    columns = {"object_embeddings": "looks", "missing": "gone"}
    assert load_config(of_adapter(path="p.npz", columns=columns)).source_options.columns == columns
    with pytest.raises(
        ConfigError, match=r"source.columns.objects must be one of boxes, class_ids"
    ):
        load_config(of_adapter(path="p.npz", columns={"objects": "o"}))


def test_options_are_judged_once_the_format_is_known(tmp_path: Path) -> None:
    source = of_adapter(path=str(tmp_path / "pool"), images="i.json", broken="skip")
    config = load_config(source)  # nobody can tell what it will be
    (tmp_path / "pool").mkdir()
    with pytest.raises(ConfigError, match="images must be left out of parquet-folder files"):
        load_config(source)
    with pytest.raises(ConfigError, match="images must be left out of parquet-folder files"):
        config.open_adapter()


def test_unknown_keys_stay_unknown() -> None:
    with pytest.raises(ConfigError, match=r"source.clases is not a known key.*mean classes"):
        load_config(of_adapter(path="p.json", clases=["a"]))


def test_options_reach_another_process() -> None:
    for path in ("p.csv", "nobody.knows"):
        config = load_config(of_adapter(path=path, classes=["a"]))
        copy = pickle.loads(pickle.dumps(config))
        assert copy.to_dict() == config.to_dict()
        assert type(copy.source_options) is type(config.source_options)


@pytest.mark.usefixtures("some_formats")
def test_every_option_says_which_formats_read_it() -> None:
    fields = get_adapter("files").SourceOptions.model_fields
    told = {name: field.description for name, field in fields.items()}
    assert told["images"].endswith("the images of\nthe file itself. Read by coco.")
    assert told["multilabel"].endswith("npz, parquet, parquet-folder and spacy.")
    assert told["columns"].startswith("arrow, csv, datasets, json, jsonl, parquet and ")
    assert " npz: Our names" in told["columns"]


def test_no_ranking_replaces_any_file_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "setup.jsonl").write_text('<View><Choices name="c" toName="t"/></View>')
    task = {"id": 1, "data": {"text": "a"}, "predictions": [], "annotations": []}
    (tmp_path / "e.json").write_text(json.dumps([task]))
    files = open_adapter(
        "files",
        directory=tmp_path,
        path="e.json",
        label_config="setup.jsonl",
        write={"output": "setup.jsonl"},
    )
    with pytest.raises(ConfigError, match="differ from the source's files"):
        files.plan(rank(Pool(["1"], probabilities=[[1.0]]), "entropy"))
