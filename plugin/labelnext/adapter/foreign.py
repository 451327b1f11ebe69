"""Files of kinds that hold no predictions, by their first bytes, and what to do instead."""

from __future__ import annotations

import re
import zipfile
from itertools import islice
from pathlib import Path

from labelnext.adapter.sample import Sample
from labelnext.errors import ConfigError
from labelnext.support.arrays import DAMAGED
from labelnext.support.folders import files_below

_START = 512  # bytes
_MET = 2000  # files of a folder
_TAR = slice(257, 262)  # where a tar archive says what it is

_TO_CSV = "save the sheet as CSV, with the names of its columns in the first line."
_TO_PARQUET = "convert it to Parquet."
_UNPACK = "unpack it first."
_CUT_OFF = "a zip file that is cut off or damaged"
_NOT_DATA = "name the file with the model's predictions."
_AS_NPZ = "numpy.savez('predictions.npz', item_ids=ids, probabilities=probabilities)"
_TABLE = "write a Parquet file by pandas: {}.to_parquet('predictions.parquet')"
_SEGMENTS = (
    "write a table with a row for each segment: file,start,end,label,score, where score says how "
    "sure the model is."
)
_CURES = {
    _CUT_OFF: "copy or download it again.",
    "an Excel sheet": _TO_CSV,
    "an Office file": _TO_CSV,
    "an OpenDocument file": _TO_CSV,
    "a Word document": _NOT_DATA,
    "an SQLite database": "export the table as CSV: sqlite3 -header -csv FILE 'SELECT …'.",
    "a DuckDB database": "export the table: duckdb FILE \"COPY … TO 'predictions.parquet'\".",
    "an HDF5 file": "save its arrays where it was made: with h5py.File(FILE) as file: "
    "numpy.savez('predictions.npz', item_ids=file[…].asstr()[:], probabilities=file[…][:]).",
    "a file of MATLAB": "save its arrays: data = scipy.io.loadmat(FILE, simplify_cells=True); "
    "numpy.savez('predictions.npz', item_ids=data[…], probabilities=data[…]).",
    "a safetensors file": "save its arrays: data = safetensors.numpy.load_file(FILE); "
    f"{_AS_NPZ}, with probabilities from data.",
    "a TFRecord file": f"write what tf.data.TFRecordDataset(FILE) reads as arrays: {_AS_NPZ}.",
    "an LMDB database": "write what lmdb.open(FOLDER).begin().cursor() reads as arrays: "
    f"{_AS_NPZ}.",
    "a Zarr store": f"save its arrays: data = zarr.open(FOLDER); {_AS_NPZ}.",
    "a file of R": "save the table: arrow::write_parquet(readRDS(FILE), 'predictions.parquet').",
    "a file of SPSS": f"{_TABLE.format('pandas.read_spss(FILE)')}.",
    "a file of Stata": f"{_TABLE.format('pandas.read_stata(FILE)')}.",
    "a file of SAS": f"{_TABLE.format('pandas.read_sas(FILE)')}.",
    "a YAML file": "write it as JSON: json.dump(yaml.safe_load(open(FILE)), "
    "open('predictions.json', 'w')).",
    "an HTML page": f"{_TABLE.format('pandas.read_html(FILE)[0]')}.",
    "a file of torch.save()": "save its arrays: data = torch.load(FILE); "
    f"{_AS_NPZ}, with probabilities from data.",
    "weights of a model": "run the model, and name the file with its predictions.",
    "a label track of Audacity": _SEGMENTS,
    "an RTTM file": _SEGMENTS,
    "a file of subtitles": _SEGMENTS,
    "a TextGrid of Praat": _SEGMENTS,
    "an ELAN file": _SEGMENTS,
    "a YOLO export of labels": "of a project in Label Studio, create a snapshot with predictions, "
    "and download it as JSON; of a model, predict again with save_txt=True save_conf=True.",
    "an Avro file": _TO_PARQUET,
    "an ORC file": _TO_PARQUET,
    "a PDF": _NOT_DATA,
    "an image": _NOT_DATA,
    "a video or sound": _NOT_DATA,
}
_STARTS = {
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"MATLAB 5.0 MAT-file": "a file of MATLAB",
    b"MATLAB 7.3 MAT-file": "an HDF5 file",
    b"RDX2\n": "a file of R",
    b"RDX3\n": "a file of R",
    b"$FL2@(#)": "a file of SPSS",
    b"$FL3@(#)": "a file of SPSS",
    b"<stata_dta>": "a file of Stata",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"%PDF-": "a PDF",
    b"\x89PNG\r\n": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"II*\0": "an image",
    b"MM\0*": "an image",
    b"OggS": "a video or sound",
    b"ID3": "a video or sound",
    b"\x1aE\xdf\xa3": "a video or sound",
    b"7z\xbc\xaf\x27\x1c": "an archive",
    b"Rar!\x1a\x07": "an archive",
}
#: What names say where the first bytes don't.
_ENDINGS = {
    ".mat": "a file of MATLAB",
    ".rds": "a file of R",
    ".rdata": "a file of R",
    ".rda": "a file of R",
    ".dta": "a file of Stata",
    ".sas7bdat": "a file of SAS",
    ".xpt": "a file of SAS",
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".html": "an HTML page",
    ".htm": "an HTML page",
    ".tfrecord": "a TFRecord file",
    ".tfrecords": "a TFRecord file",
    ".rttm": "an RTTM file",
    ".srt": "a file of subtitles",
    ".vtt": "a file of subtitles",
    ".textgrid": "a TextGrid of Praat",
    ".eaf": "an ELAN file",
    ".onnx": "weights of a model",
    ".tflite": "weights of a model",
    ".pb": "weights of a model",
    ".keras": "weights of a model",
    ".ckpt": "weights of a model",
    ".gguf": "weights of a model",
}
#: How the lines of texts with segments of a sound begin.
_LINES = {
    re.compile(rb"(\d+\.\d+)\t(\d+\.\d+)\t[^\t\n]*[^\W\d][^\t\n]*\n"): "a label track of Audacity",
    re.compile(rb"(SPEAKER|SPKR-INFO) \S+ \d+ "): "an RTTM file",
    re.compile(rb"WEBVTT|1\r?\n\d\d:\d\d:\d\d,\d+ --> "): "a file of subtitles",
    re.compile(rb"File type = .ooTextFile"): "a TextGrid of Praat",
}
_RIFF = {b"WEBP": "an image", b"AVI ": "a video or sound", b"WAVE": "a video or sound"}
_INSIDE = {  # a zip
    "xl/workbook.xml": "an Excel sheet",
    "xl/workbook.bin": "an Excel sheet",
    "word/document.xml": "a Word document",
    "content.xml": "an OpenDocument file",
    "model.weights.h5": "weights of a model",
}
_BELOW = {  # a folder
    "data.mdb": "an LMDB database",
    ".zgroup": "a Zarr store",
    ".zarray": "a Zarr store",
    "zarr.json": "a Zarr store",
    "saved_model.pb": "weights of a model",
}


def kind_of(path: Path) -> str | None:
    """What a path is, in words, if it is of a known kind that holds no predictions; else None."""
    if path.is_dir():
        below = next((kind for name, kind in _BELOW.items() if (path / name).exists()), None)
        names = islice(files_below(path, deep=False), _MET)
        text = min((name for name in names if name.endswith(".txt")), default=None)
        return below or (None if text is None else _in_lines(path / text))
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    unpacked = Sample(path).start
    if b"ustar" in (start[_TAR], unpacked[_TAR]):
        return "an archive"
    if start[4:8] == b"ftyp":
        return "an image" if start[8:12] in (b"heic", b"avif", b"mif1") else "a video or sound"
    if start.startswith(b"RIFF"):
        return _RIFF.get(start[8:12])
    known = next((kind for mark, kind in _STARTS.items() if start.startswith(mark)), None)
    known = known or _inside(start, path.stat().st_size) or _in_lines(path)
    return known or _ENDINGS.get(path.suffix.lower())


def _in_lines(path: Path) -> str | None:
    """What a text is by its first line."""
    start = Sample(path).start
    for line, kind in _LINES.items():
        begins = line.match(start)
        if begins and (kind != "a label track of Audacity" or float(begins[1]) <= float(begins[2])):
            return kind
    return None


def _inside(start: bytes, size: int) -> str | None:
    """What a file is by bytes that don't stand first."""
    if start[8:12] == b"DUCK":
        return "a DuckDB database"
    if start[16:20] == b"\xde\xc0\xef\xbe":
        return "an LMDB database"
    length = int.from_bytes(start[:8], "little")  # of a header, or of the first record
    if not 0 < length <= size - 8:
        return None
    if start[8:10] in (b'{"', b"{}"):
        return "a safetensors file"
    return "a TFRecord file" if start[12:13] == b"\n" and length <= size - 16 else None


def _zipped(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED:
        return _CUT_OFF
    known = next((kind for name, kind in _INSIDE.items() if name in names), None)
    if known is None and any(name.endswith("/data.pkl") for name in names):
        return "a file of torch.save()"
    if known is None and "classes.txt" in names and any(n.startswith("labels/") for n in names):
        return "a YOLO export of labels"
    several = len([name for name in names if not name.endswith("/")]) > 1
    return known or ("an archive" if several else None)


def refuse_foreign(path: Path) -> None:
    """Refuse a file of a known kind that holds no predictions, such as an Excel sheet.

    Raises:
        ConfigError: if it is one, with what to do instead.
    """
    kind = kind_of(path)
    if kind is not None:
        cure = _CURES.get(kind, _UNPACK)
        raise ConfigError(f"path must hold predictions; {path.name!r} is {kind}.", hint=cure)
