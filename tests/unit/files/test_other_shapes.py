"""The same predictions in other shapes that their tools write."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, LabelnextError, NotFound
from labelnext.pool import Pool

FOUND = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]} for _ in range(2)]
SCORED = [{**FOUND[0], "score": 0.9}, {**FOUND[1], "image_id": 2, "score": 0.3}]
IMAGES = {"images": [{"id": 1}, {"id": 2}], "categories": [{"id": 1, "name": "cat"}]}
NAMED = [{**FOUND[0], "confidence": 0.9}, {**FOUND[1], "image_id": 2, "confidence": 0.3}]
INSIDE = [{**one, "attributes": {"score": one.pop("confidence")}} for one in map(dict, NAMED)]
OF_MMDET = [{"bboxes": [[1, 2, 3, 4]], "labels": [0], "scores": [score]} for score in (0.9, 0.3)]
#: By name: what is in the file, and the ids in their order.
FILES: dict[str, tuple[str, list[str]]] = {
    "results.jsonl": ("".join(json.dumps(one) + "\n" for one in SCORED), ["2", "1"]),
    "confidence.json": (json.dumps(NAMED), ["2", "1"]),
    "data_set.json": (json.dumps({**IMAGES, "annotations": NAMED}), ["2", "1"]),
    "attributes.json": (json.dumps({**IMAGES, "annotations": INSIDE}), ["2", "1"]),
    "inferencer.json": (json.dumps({"predictions": OF_MMDET, "visualization": []}), ["1", "0"]),
    "results.json": (json.dumps({"results": OF_MMDET}), ["1", "0"]),
}


def read(folder: Path, name: str, **options: Any) -> Pool:
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined,no-any-return]  # of the files adapter


@pytest.mark.parametrize("name", FILES)
def test_detections_are_ranked_by_their_scores(tmp_path: Path, name: str) -> None:
    text, order = FILES[name]
    (tmp_path / name).write_text(text)
    ranking = rank(read(tmp_path, name), "mean_object_confidence")
    assert ranking.item_ids.tolist() == order


def test_a_file_of_odd_detections_names_them(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps([{**one, "score": [0.5]} for one in FOUND]))
    with pytest.raises(InvalidInput, match="2 detections: record 1.*score must be a number"):
        read(tmp_path, "r.json")


def test_the_ids_of_an_array_are_a_column(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", [[0.9, 0.1], [0.55, 0.45]])
    (tmp_path / "ids.csv").write_text("file,n\n007,1\n1e5,2\n")
    pool = read(tmp_path, "p.npy", ids="ids.csv", key="file")
    assert rank(pool).item_ids.tolist() == ["1e5", "007"]


def test_an_array_of_records_is_refused_with_its_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([("a", 0.9)], dtype=[("id", "U1"), ("cat", "f4")]))
    with pytest.raises(InvalidInput, match="table of id, cat.*to_csv"):
        read(tmp_path, "p.npy")


def test_lists_of_labels_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"id": 1, "text": "x", "label": ["pos"]}\n')
    with pytest.raises(InvalidInput, match="label must be one class for each item.*votes: label"):
        read(tmp_path, "d.jsonl")


def test_the_boxes_of_label_studios_own_table_are_no_classes(tmp_path: Path) -> None:
    rows = (
        "annotation_id,annotator,id,image,label,lead_time\n"
        '4,1,3,a.jpg,"[{""x"": 1, ""y"": 2, ""rectanglelabels"": [""car""]}]",3.2\n'
    )
    (tmp_path / "project-1.csv").write_text(rows)
    with pytest.raises(InvalidInput, match="label must be one class for each item; got records"):
        read(tmp_path, "project-1.csv")


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("p.csv"))
    return packed.getvalue()


def tensors() -> bytes:
    head = json.dumps({"p": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(4)


def example() -> bytes:
    """A record of TFRecord, whose checksums are left out: an Example without features."""
    return struct.pack("<Q", 2) + bytes(4) + b"\n\0" + bytes(4)


FOREIGN = {
    "book.xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel sheet.*as CSV"),
    "renamed.csv": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel sheet.*as CSV"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Office file.*as CSV"),
    "sheet.ods": (zipped("mimetype", "content.xml"), "an OpenDocument file.*as CSV"),
    "report.docx": (zipped("word/document.xml", "x"), "a Word document"),
    "base.csv": (b"SQLite format 3\0" + bytes(99), "an SQLite database.*sqlite3 -header -csv"),
    "scores.json": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file.*numpy.savez"),
    "scores.orc": (b"ORC\0", "an ORC file.*to Parquet"),
    "scores.avro": (b"Obj\x01\x04", "an Avro file.*to Parquet"),
    "paper.csv": (b"%PDF-1.7\n1 0 obj<<>>\n", "a PDF.*the file with the model's predictions"),
    "a.jpg": (b"\xff\xd8\xff\xe0", "an image"),
    "a.heic": (b"\0\0\0\x18ftypheic", "an image"),
    "a.webp": (b"RIFF\0\0\0\0WEBP", "an image"),
    "a.mp4": (b"\0\0\0\x18ftypmp42", "a video or sound"),
    "p.csv.7z": (b"7z\xbc\xaf\x27\x1c", "an archive.*unpack it first"),
    "p.tar.gz": (tarred(), "an archive.*unpack it first"),
    "two.zip": (zipped("a.csv", "b.csv"), "an archive.*unpack it first"),
    "cut.zip": (
        zipped("a.csv")[:-9],
        "a zip file that is cut off or damaged.*copy or download it again",
    ),
    "p.mat": (b"MATLAB 5.0 MAT-file, Platform: posix" + bytes(99), "a file of MATLAB.*loadmat"),
    "old.mat": (bytes(99), "a file of MATLAB.*loadmat"),
    "new.mat": (b"MATLAB 7.3 MAT-file, Platform" + bytes(99), "an HDF5 file.*h5py.*numpy.savez"),
    "p.safetensors": (tensors(), "a safetensors file.*load_file.*numpy.savez"),
    "renamed.bin": (tensors(), "a safetensors file"),
    "p-00000-of-00001": (2 * example(), "a TFRecord file.*TFRecordDataset"),
    "p.tfrecord": (b"", "a TFRecord file.*TFRecordDataset"),
    "data.mdb": (bytes(16) + b"\xde\xc0\xef\xbe" + bytes(99), "an LMDB database.*lmdb.open"),
    "p.duckdb": (bytes(8) + b"DUCK" + bytes(99), "a DuckDB database.*COPY"),
    "model.ckpt": (zipped("archive/data.pkl", "archive/version"), "a file of torch.save.*load"),
    "p.RData": (b"RDX3\nX\n", "a file of R.*write_parquet"),
    "p.rds": (b"\x1f\x8b\x08\0", "a file of R.*write_parquet"),
    "p.sav": (b"$FL2@(#) SPSS DATA FILE", "a file of SPSS.*read_spss"),
    "p.dta": (b"<stata_dta><header>", "a file of Stata.*read_stata"),
    "p.sas7bdat": (bytes(99), "a file of SAS.*read_sas"),
    "p.yaml": (b"- id: a\n  score: 0.5\n", "a YAML file.*yaml.safe_load"),
    "p.html": (b"<table></table>", "an HTML page.*read_html"),
    "m.onnx": (b"\x08\x08\x12\x07pytorch", "weights of a model.*run the model"),
    "m.keras": (zipped("config.json", "model.weights.h5"), "weights of a model"),
}
BELOW = {
    "data.mdb": "an LMDB database.*lmdb.open",
    ".zgroup": "a Zarr store.*zarr.open",
    "zarr.json": "a Zarr store",
    "saved_model.pb": "weights of a model",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_holds_no_predictions_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    content, told = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelnextError, match=f"path must hold predictions; '{name}' is {told}"):
        read(tmp_path, name)


@pytest.mark.parametrize("name", BELOW)
def test_a_folder_that_holds_no_predictions_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / name).write_text("{}")
    with pytest.raises(LabelnextError, match=f"must hold predictions; 'store' is {BELOW[name]}"):
        read(tmp_path, "store")


@pytest.mark.parametrize("target", ["p.csv", "nowhere.csv"])
def test_a_link_that_leads_nowhere_is_called_one(tmp_path: Path, target: str) -> None:
    (tmp_path / "p.csv").symlink_to(target)
    with pytest.raises(NotFound, match="it is a link to something that isn't there"):
        read(tmp_path, "p.csv")


@pytest.mark.parametrize("text", ["null", "42", "true", '"text"'])
def test_json_that_is_no_list_is_named_as_json_has_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InvalidInput, match=f"must be a list of objects.*; got {text}\\."):
        read(tmp_path, "p.json")


def test_a_repeated_id_is_refused_with_both_places(tmp_path: Path) -> None:
    line = '{"id": "%s", "output": [{"label": "x", "score": 0.5}, {"label": "y", "score": 0.5}]}\n'
    (tmp_path / "o.jsonl").write_text("".join(line % item for item in ("a", "b", "a")))
    with pytest.raises(InvalidInput, match="'a' is that of line 1 and of line 3.*keep one record"):
        read(tmp_path, "o.jsonl")


ANSWERS = {
    "judges.csv": "id,judge,label\n007,g,x\n007,c,x\nb,g,x\nb,c,y\n",
    "models.tsv": "id\tmodel\tlabel\n007\tg\tx\n007\tc\tx\nb\tg\tx\nb\tc\ty\n",
    "stated.csv": "id,judge,label,confidence\n007,g,x,.9\n007,c,x,.9\nb,g,x,.9\nb,c,y,.8\n",
    "cells.csv": 'id,response\n007,"{""label"": ""x"", ""confidence"": 0.9}"\n'
    'b,"{""label"": ""y"", ""confidence"": 0.4}"\n',
}


@pytest.mark.parametrize("name", ANSWERS)
def test_rows_of_a_csv_are_answers_of_judges(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ANSWERS[name])
    pool = read(tmp_path, name)
    assert rank(pool).item_ids.tolist() == ["b", "007"]
    assert (pool.versions is None) == (name == "cells.csv")


def test_one_model_that_scores_each_class_is_no_panel(tmp_path: Path) -> None:
    text = "image,model,class,score\na,m,x,0.9\na,m,y,0.1\nb,m,x,0.6\nb,m,y,0.4\n"
    (tmp_path / "p.csv").write_text(text)
    assert read(tmp_path, "p.csv").mean_probabilities.tolist() == [[0.9, 0.1], [0.6, 0.4]]


@pytest.mark.parametrize("first", ["7,0,1", "0.2,0.8", "a,0.2,0.8"])
def test_a_first_line_of_numbers_is_no_header(tmp_path: Path, first: str) -> None:
    (tmp_path / "p.csv").write_text(f"{first}\n{first.replace('7', '8').replace('a', 'b')}\n")
    with pytest.raises(InvalidInput, match="the first line must name the columns; got a row"):
        open_adapter("files", path=tmp_path / "p.csv").read()


def test_a_table_of_pandas_with_odd_fields_is_read_all_the_same(tmp_path: Path) -> None:
    rows = [{"item_id": i, "prediction": "x", "confidence": p} for i, p in (("a", 0.9), ("b", 0.4))]
    table = {"schema": {"fields": 5, "primaryKey": ["index"]}, "data": rows}
    (tmp_path / "p.json").write_text(json.dumps(table))
    pool = open_adapter("files", path=tmp_path / "p.json").read()
    assert rank(pool).item_ids.tolist() == ["b", "a"]
