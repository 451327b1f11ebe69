"""What can't work is refused before anything is asked for or done."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from labelnext.cli import commands
from labelnext.errors import ConfigError


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["labelnext", *words])
    with pytest.raises(SystemExit) as end:
        commands.main()
    return int(end.value.code or 0)


def test_a_backend_of_files_is_refused_before_a_package_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise ConfigError("install label_studio_sdk")

    monkeypatch.setattr("labelnext.adapter.registry.require", missing)
    config = tmp_path / "labelnext.yaml"
    config.write_text(yaml.safe_dump({"source": {"adapter": "files", "path": "p.csv"}}), "utf-8")
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\na,0.5,0.5\n", "utf-8")
    assert called(monkeypatch, "backend", str(config)) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "source.adapter must be label-studio for a backend; got 'files'." in said


def test_a_wrong_number_of_threads_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABELNEXT_THREADS", "x")
    assert called(monkeypatch, "formats") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "LABELNEXT_THREADS must be a whole number from 1; got 'x'." in said
