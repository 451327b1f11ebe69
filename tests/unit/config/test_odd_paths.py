"""Paths that no file can have, or that the system refuses: one error of labelnext, everywhere."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.cli import main
from labelnext.errors import AccessDenied, ConfigError, LabelnextError, NotFound, WriteFailed
from labelnext.runs.check import check
from labelnext.runs.status import status
from labelnext.runs.undo import undo
from labelnext.support.refused import refusals_told

ODD = {
    "a long path": "y" * 5000,
    "a long name": "y" * 300,
    "a NUL": "a\0b",
    "nobody's home": "~nobody_of_this_name/x",
    "a file as a folder": "a.csv/x.csv",
    "a folder as a file": "folder",
    "a link to itself": "loop",
    "a link to itself as a folder": "loop/x.csv",
    "nothing": "",
    "half a character": "a\ud800",
    "a pipe": "pipe",
}

KEYS: dict[str, dict[str, Any]] = {
    "source.path": {},
    "source.pictures": {},
    "source.predictions.file": {},
    "source.images": {"path": "coco.json", "format": "coco"},
    "source.older": {"path": "coco.json", "format": "coco"},
    "source.ids": {"path": "scores.npy"},
    "source.label_config": {"path": "coco.json", "format": "label-studio"},
    "source.data": {"path": "folder", "format": "yolo"},
    "source.image_folder": {"path": "folder", "format": "yolo"},
    "source.embeddings.onnx": {"embeddings": {"from": "onnx"}},
    "source.ca_bundle": {
        "adapter": "label-studio",
        "url": "http://127.0.0.1:9",
        "api_key": "k" * 20,
        "project": 1,
        "path": None,
    },
    "acquisition.options.class_quality": {},
    "acquisition.options.similar_to.file": {},
    "write.output": {},
    "report.path": {},
    "replay.path": {},
    "watch.predictions": {},
    "state": {},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"item_id": f"i{i}", "probabilities": [i / 10, 1 - i / 10]} for i in range(6)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "a.csv").write_text("item_id,p1,p2\na,0.2,0.8\n")
    (tmp_path / "coco.json").write_text("[]")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(key: str, value: str) -> dict[str, Any]:
    source = {"adapter": "files", "path": "p.jsonl", **KEYS[key]}
    config: dict[str, Any] = {
        "source": {name: entry for name, entry in source.items() if entry is not None},
        "report": {"path": None},
    }
    *sections, last = key.split(".")
    place = config
    for section in sections:
        place = place.setdefault(section, {})
    place[last] = [value] if last == "older" else value
    return config


IMPOSSIBLE = ("a long path", "a long name", "a NUL", "nobody's home", "nothing", "half a character")


@pytest.mark.parametrize("key", KEYS)
def test_a_path_is_used_or_refused_by_one_error(folder: Path, key: str) -> None:
    for odd, path in ODD.items():
        config = configured(key, path)
        for command in (labelnext.run, check, undo):
            told = said_by(command, config)
            assert len(told.splitlines()) <= 1
            assert len(told) < 1000
        if odd in IMPOSSIBLE:
            with pytest.raises(ConfigError, match=f"^{key.split('.')[0]}.* must .*path"):
                labelnext.load_config(config)


def said_by(command: Callable[..., object], config: dict[str, Any]) -> str:
    try:
        command(config)
    except LabelnextError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("odd", ["a long path", "a file as a folder", "a link to itself"])
def test_a_path_on_the_command_line_is_refused_in_one_line(
    folder: Path, odd: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "c.yaml").write_text("source: {adapter: files, path: p.jsonl}\n")
    before = sorted(folder.iterdir())
    for words in (
        "run {}",
        "check {}",
        "undo {}",
        "run c.yaml --output {}",
        "status c.yaml --html {}",
        "export c.yaml {}",
        "init files {}",
    ):
        arguments = [word.format(ODD[odd]) for word in words.split()]
        monkeypatch.setattr(sys, "argv", ["labelnext", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        said = capsys.readouterr().err
        assert said.startswith("Error: ")
        assert said.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_a_report_whose_path_is_no_text_is_written(folder: Path) -> None:
    config = configured("report.path", os.fsdecode(b"page-\xff.html"))
    labelnext.run(config)
    assert b"page-\\udcff.html" in (folder / os.fsdecode(b"page-\xff.html")).read_bytes()


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, AccessDenied),
        (errno.ENOENT, NotFound),
        (errno.ENOSPC, WriteFailed),
        (errno.EIO, ConfigError),
    ],
)
def test_what_the_system_refuses_is_an_error_of_labelnext(
    number: int, kind: type[LabelnextError]
) -> None:
    with (
        pytest.raises(kind, match=f"^'private/p.csv' .*: {os.strerror(number)}\\."),
        refusals_told(),
    ):
        raise OSError(number, os.strerror(number), "private/p.csv")


def test_a_folder_without_permission_is_access_denied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The system lets root look into every folder, so its answer to others is given here.
    seen = Path.stat

    def stat(self: Path, **options: bool) -> os.stat_result:
        if self.name == "p.jsonl":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return seen(self, **options)

    monkeypatch.setattr(Path, "stat", stat)
    for command in (labelnext.run, labelnext.send, check, status):
        with pytest.raises(AccessDenied, match="'p.jsonl' can't be used: Permission denied"):
            command(configured("source.path", "p.jsonl"))  # type: ignore[operator]
