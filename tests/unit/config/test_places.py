from __future__ import annotations

import os
from pathlib import Path

import pytest

import labelnext
from labelnext.config.config import load_config
from labelnext.config.places import check_export, check_overwritable, check_places
from labelnext.errors import ConfigError
from labelnext.runs.status import status

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
        ("report: {path: .labelnext/lock}", "report.path must differ from state and its files"),
        (
            "write: {output: .labelnext/r.jsonl}",
            "write.output must differ from state and its files",
        ),
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


def pooled(folder: Path, source: str) -> Path:
    """A folder that is a pool, with links that lead in, out and around."""
    (folder / "pool" / "sub").mkdir(parents=True)
    for name in ("pool/a.parquet", "pool/sub/b.parquet", "outside.parquet", "image.parquet"):
        (folder / name).write_bytes(name.encode())
    os.link(folder / "pool/a.parquet", folder / "hard.parquet")
    (folder / "soft.parquet").symlink_to("pool/sub/b.parquet")
    (folder / "pool/in.parquet").symlink_to("../outside.parquet")
    (folder / "pool/loop").symlink_to("..")
    (folder / "linked").symlink_to("pool")
    (folder / "later").symlink_to("new")
    path = folder / "c.yaml"
    path.write_text(f"source: {{adapter: files, {source}}}\n")
    return path


@pytest.mark.parametrize("source", ["path: pool", "path: linked/sub/..", "path: pool/**/*.parquet"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("report: {path: pool/a.parquet}", "report.path must not be one of the files of source"),
        ("report: {path: hard.parquet}", "report.path must not be one of the files of source.path"),
        ("report: {path: soft.parquet}", "report.path must not be one of the files of source.path"),
        ("replay: {path: outside.parquet}", "replay.path must not be one of the files of source"),
        ("write: {output: hard.parquet}", "write.output must not be one of the files of source"),
        ("write: {output: linked/../soft.parquet}", "write.output must not be one of the files"),
        ("state: c.yaml", "state must be a folder; got .*c.yaml', a file"),
        ("state: later\nreport: {path: new}", "report.path must differ from state and its files"),
        ("state: new\nwrite: {output: linked/../new}", "write.output must differ from state and"),
        ("state: s\nreport: {path: s/20260101T000000-000000.jsonl}", "must differ from state and"),
        ("state: s\nreport: {path: s/history}", "report.path must differ from state and its files"),
    ],
)
def test_nothing_of_a_pool_or_the_state_is_overwritten_by_any_name(
    tmp_path: Path, source: str, text: str, message: str
) -> None:
    config = pooled(tmp_path, source)
    config.write_text(config.read_text() + text)
    before = sorted(tmp_path.rglob("*"))
    for check in (labelnext.run, lambda path: check_places(load_config(path))):
        with pytest.raises(ConfigError, match=message):
            check(config)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("side", ["side", "side/*.parquet"])
def test_nothing_of_a_folder_of_predictions_is_overwritten(tmp_path: Path, side: str) -> None:
    config = configured(tmp_path, "write: {output: linked/side/a.parquet}\n")
    (tmp_path / "side").mkdir()
    (tmp_path / "side/a.parquet").write_bytes(b"")
    config.write_text(config.read_text().replace("side.jsonl", f"'{side}'"))
    with pytest.raises(ConfigError, match=r"must not be one of the files of source\.predictions"):
        check_places(load_config(config))


def test_the_page_of_a_status_is_an_output_too(tmp_path: Path) -> None:
    config = configured(tmp_path, "report: {path: sub/r.html}\n")
    page = tmp_path / "sub/r.html"
    page.write_text("<title>labelnext</title>")
    with pytest.raises(ConfigError, match="--html must differ from report.path"):
        status(config, page=tmp_path / "linked/sub/r.html")


def test_a_pool_is_no_state_but_may_hold_it(tmp_path: Path) -> None:
    config = pooled(tmp_path, "path: pool")
    text = config.read_text()
    for state in ("pool", "linked", "pool/sub/.."):
        config.write_text(f"{text}state: {state}\n")
        with pytest.raises(ConfigError, match=r"state must differ from source\.path"):
            check_places(load_config(config))
    (tmp_path / "pool/r.html").write_text("an earlier page")
    config.write_text(f"{text}state: pool/.labelnext\nreport: {{path: pool/r.html}}\n")
    check_places(load_config(config), {"--log-file": tmp_path / "pool/run.log"})


@pytest.mark.parametrize("key", ["columns: {media: image.parquet}", "columns: {item_id: c.yaml}"])
def test_a_column_that_is_called_like_a_file_counts_as_this_file(tmp_path: Path, key: str) -> None:
    config = pooled(tmp_path, f"path: pool, {key}")
    name = key[:-1].rpartition(" ")[2]
    config.write_text(f"{config.read_text()}replay: {{path: {name}}}\n")
    with pytest.raises(ConfigError, match=r"replay\.path must differ from (source\.co|the conf)"):
        check_places(load_config(config))


def test_a_log_file_is_an_output_too(tmp_path: Path) -> None:
    settings = load_config(configured(tmp_path, ""))
    with pytest.raises(ConfigError, match="--log-file must differ from source.path"):
        check_places(settings, {"--log-file": tmp_path / "hard.jsonl"})
    check_places(settings, {"--log-file": tmp_path / "new.log"})


@pytest.mark.parametrize("option", ["--log-file", "the file of labels", "the file of predictions"])
def test_no_command_puts_what_looks_like_a_journal_beside_the_journals(
    tmp_path: Path, option: str
) -> None:
    settings = load_config(configured(tmp_path, "state: sub\n"))
    with pytest.raises(ConfigError, match=f"{option} must differ from state and its files"):
        check_places(settings, {option: tmp_path / "linked/sub/new.jsonl"})
    for name in ("sub/loop/new.jsonl", "sub/new.csv", "new.jsonl"):
        check_places(settings, {option: tmp_path / name})


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
    with pytest.raises(ConfigError, match="the folder must differ from state"):
        check_export(settings, tmp_path / "pool/../.labelnext")
    with pytest.raises(ConfigError, match="lie outside it"):
        check_export(settings, tmp_path / ".labelnext/pool")


def test_init_replaces_configurations_alone(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(POOL)
    with pytest.raises(ConfigError, match="must be a configuration to be overwritten"):
        check_overwritable(tmp_path / "p.jsonl")
    (tmp_path / "c.yaml").write_text("# mine\nsource:\n  adapter: files\n")
    check_overwritable(tmp_path / "c.yaml")
    check_overwritable(tmp_path / "new.yaml")
