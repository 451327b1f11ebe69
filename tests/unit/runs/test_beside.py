"""The ranking file that a run writes beside the write-back to a platform."""

from __future__ import annotations

import html
import sys
from pathlib import Path

import pytest

import labelnext
from labelnext.errors import ConfigError, WriteFailed
from labelnext.runs.undo import resume


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pool.csv").write_text("item_id,p_cat,p_dog\na,0.9,0.1\nb,0.5,0.5\n")
    path = tmp_path / "labelnext.yaml"
    path.write_text("source: {adapter: files, path: pool.csv}\n")
    return path


def test_resume_names_the_ranking_file_that_it_cannot_write(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise ConfigError("no.")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["labelnext.journal.carry_out"], "perform_step", failing)
        with pytest.raises(labelnext.LabelnextError):
            labelnext.run(config)
    monkeypatch.setattr("labelnext.runs.undo.extra_output", lambda *_: Path("/other/extra.csv"))
    resume(config)
    assert "is finished, but for /other/extra.csv: run again" in caplog.text


def test_a_page_says_that_the_ranking_file_beside_the_write_back_is_missing(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise WriteFailed("'extra.csv' can't be written: no space.", hint="free some.")

    path = config.parent / "extra.csv"
    monkeypatch.setattr("labelnext.runs.run.extra_output", lambda *_: path)
    monkeypatch.setattr("labelnext.runs.whole.WholeJob.write_output", full)
    with pytest.raises(WriteFailed, match="extra.csv' can't be written"):
        labelnext.run(config)
    page = html.unescape((config.parent / "labelnext-report.html").read_text())
    assert "the run is done, but 'extra.csv' can't be written: no space. To have it, free" in page
    assert f"to {path}" not in page
