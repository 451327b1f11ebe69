"""A file that somebody writes while it is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import labelnext_adapters.files.read
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_a_file_that_is_written_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool, broken: bool
) -> None:
    text = json.dumps({"item_id": "a", "probabilities": [0.5, 0.5]}) + "\n"
    path = tmp_path / "p.jsonl"
    path.write_text("{" if broken else text)
    adapter = open_adapter("files", directory=tmp_path, path=path.name, format="jsonl")
    guarded = labelnext_adapters.files.read.guarded

    def written_meanwhile(*arguments: object) -> object:
        try:
            return guarded(*arguments)
        finally:
            new = tmp_path / "new" if replaced else path
            new.write_text(2 * text)
            new.rename(path)

    monkeypatch.setattr("labelnext_adapters.files.read.guarded", written_meanwhile)
    with pytest.raises(InvalidInput, match=r"p\.jsonl was changed while it was read"):
        adapter.read()
