"""The demo finds the Label Studio that its own hint installs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from labelnext.errors import MissingExtra
from labelnext_adapters.label_studio import demo


def test_a_server_beside_the_demo_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("LABEL_STUDIO", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    script = tmp_path / ".venv-label-studio" / "bin" / "label-studio"
    script.parent.mkdir(parents=True)
    with pytest.raises(MissingExtra, match="Label Studio, which isn't installed"):
        demo._script()
    script.touch(mode=0o755)
    assert demo._script() == script  # not relative: the server starts in another folder
    monkeypatch.setenv("LABEL_STUDIO", ".venv-label-studio/bin/label-studio")
    assert demo._script() == script
