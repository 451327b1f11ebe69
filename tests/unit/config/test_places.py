from __future__ import annotations

import os
from pathlib import Path

import pytest

import labelnext
from labelnext.config.config import load_config
from labelnext.config.places import check_export, check_overwritable, check_places
from labelnext.errors import ConfigError

POOL = '{"item_id": "a", "probabilities": [0.6, 0.4]}\n'


def configured(folder: Path, text: str) -> Path:
    (folder / "p.jsonl").write_text(POOL)
    (folder / "side.jsonl").write_text(POOL)
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "linked").symlink_to(".")
    (folder / "soft.jsonl").symlink_to("p.jsonl")
    os.link(folder / "p.jsonl", folder / "hard.jsonl")
    path = folder / "c.yaml"
    path.write_text(
        "source: {adapter: files, path: p.jsonl, predictions: {file: side.jsonl}}\n" + text
    )
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("write: {output: p.jsonl}", "write.output must differ from source.path"),
        ("write: {output: sub/../p.jsonl}", "write.output must differ from source.path"),
        ("write: {output: linked/p.jsonl}", "write.output must differ from source.path"),
        ("write: {output: soft.jsonl}", "write.output must differ from source.path"),
        ("write: {output: hard.jsonl}", "write.output must differ from source.path"),
        ("write: {output: side.jsonl}", "write.output must differ from source.predictions.file"),
        ("report: {path: p.jsonl}", "report.path must differ from source.path"),
        ("report: {path: c.yaml}", "report.path must differ from the configuration"),
        ("replay: {path: linked/c.yaml}", "replay.path must differ from the configuration"),
        ("write: {output: r.csv}\nreport: {path: r.csv}", "report.path must differ from write.out"),
        ("report: {path: .labelnext/lock}", "must differ from report.path"),
    ],
)
def test_what_is_read_is_not_written_by_any_name(tmp_path: Path, text: str, message: str) -> None:
    config = configured(tmp_path, "")
    config.write_text(config.read_text() + text)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.*") if path.is_file()}
    with pytest.raises(ConfigError, match=message):
        check_places(load_config(config))
    with pytest.raises(ConfigError, match=message):
        labelnext.run(config)
    after = {path: path.read_bytes() for path in tmp_path.glob("*.*") if path.is_file()}
    assert after == before
    assert not (tmp_path / ".labelnext").exists()


def test_a_log_file_is_an_output_too(tmp_path: Path) -> None:
    settings = load_config(configured(tmp_path, ""))
    with pytest.raises(ConfigError, match="--log-file must differ from source.path"):
        check_places(settings, {"--log-file": tmp_path / "hard.jsonl"})
    check_places(settings, {"--log-file": tmp_path / "new.log"})


def test_ordinary_places_pass(tmp_path: Path) -> None:
    config = configured(tmp_path, "write: {output: sub/r.jsonl}\nreport: {path: sub/r.html}\n")
    check_places(load_config(config))


def test_no_export_into_its_own_pool(tmp_path: Path) -> None:
    (tmp_path / "pool" / "sub").mkdir(parents=True)
    config = tmp_path / "c.yaml"
    config.write_text("source: {adapter: files, path: pool}\n")
    settings = load_config(config)
    for folder in ("pool/new", "pool/../pool/sub"):
        with pytest.raises(ConfigError, match="must lie outside the pool"):
            check_export(settings, tmp_path / folder)
    check_export(settings, tmp_path / "other")


def test_init_replaces_configurations_alone(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(POOL)
    with pytest.raises(ConfigError, match="must be a configuration to be overwritten"):
        check_overwritable(tmp_path / "p.jsonl")
    (tmp_path / "c.yaml").write_text("# mine\nsource:\n  adapter: files\n")
    check_overwritable(tmp_path / "c.yaml")
    check_overwritable(tmp_path / "new.yaml")
