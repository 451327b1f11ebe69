"""The README's examples run as they are printed."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
import yaml

import labelnext
from labelnext.acquisition import get_acquisition
from labelnext.config import load_config

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_example_prints_what_its_comments_say(code: str) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    said = re.findall(r"print\(.*\)  # (\[.*\])", code)
    assert said
    assert [line for line in out.getvalue().splitlines() if line.startswith("['")] == said


@pytest.mark.parametrize("text", blocks("yaml"))
def test_yaml_example_is_a_valid_config(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "abcdef")
    path = tmp_path / "labelnext.yaml"
    path.write_text(text)
    assert load_config(path).source.adapter == yaml.safe_load(text)["source"]["adapter"]


def test_files_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = [block for block in blocks("yaml") if "adapter: files" in block]
    (lines,) = blocks("json")
    (tmp_path / "predictions.jsonl").write_text(lines)
    (tmp_path / "labelnext.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    report = labelnext.run("labelnext.yaml")
    assert report.ranking.item_ids.tolist() == ["b.jpg", "a.jpg"]
    assert (tmp_path / "ranking.csv").exists()
    assert len(lines.splitlines()) == report.counts["items"]
    assert all(json.loads(line) for line in lines.splitlines())


def test_every_acquisition_function_is_in_the_table_with_its_direction() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (high|low) \|", README))
    assert rows == {n: get_acquisition(n).direction for n in labelnext.acquisition_names()}


def test_pictures_exist() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((Path(__file__).parents[2] / picture).is_file() for picture in pictures)
