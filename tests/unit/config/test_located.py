"""An option that an adapter refuses is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.config.config import load_config
from labelnext.config.located import in_file, located
from labelnext.config.opened import opened
from labelnext.errors import NotFound

TEXT = "source:\n  adapter: files\n  path: p.csv\n  classes: [a, b]\nreport: {path: null}\n"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("path must be a file; got 'p.csv'.", 3),
        ("source.classes must be distinct; got 'a'.", 4),
        ("classes 'a' must be distinct.", 4),
    ],
)
def test_an_option_of_the_file_has_its_line_and_whole_key(
    tmp_path: Path, message: str, line: int
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(TEXT)
    rest = message.removeprefix("source.")
    assert in_file(message, load_config(config)) == f"{config}, line {line}: source.{rest}"


@pytest.mark.parametrize(
    "message",
    [
        "columns must be left out.",  # an option that the file doesn't set
        "paths must be distinct.",
        "the path must be a file.",
        "path of the file is wrong.",
        "write.output must be a file.",
        "",
    ],
)
def test_other_messages_stay_as_they_are(tmp_path: Path, message: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(TEXT)
    assert in_file(message, load_config(config)) == message


def test_a_configuration_of_python_has_no_lines() -> None:
    settings = load_config({"source": {"adapter": "files", "path": "p.csv"}})
    assert in_file("path must be a file.", settings) == "path must be a file."


def test_a_file_that_was_changed_since_gives_the_message_alone(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(TEXT)
    settings = load_config(config)
    config.write_text("source: [\n")
    assert in_file("path must be a file.", settings) == "path must be a file."


def test_an_error_keeps_its_kind_and_hint(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(TEXT)
    settings = load_config(config)
    with pytest.raises(NotFound) as caught, located(settings):
        raise NotFound("path must be there.", hint="make it.")
    assert str(caught.value) == f"{config}, line 3: source.path must be there. Hint: make it."
    (tmp_path / "p.csv").write_text("item_id,a,b\nx,0.5,0.5\n")
    with pytest.raises(NotFound, match="line 3: source.path must"), opened(settings, None, None):
        raise NotFound("path must be there.")
