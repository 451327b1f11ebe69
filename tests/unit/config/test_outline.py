"""The outline of a configuration: what it reads and writes, checked without how it ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.config.config import config_of, load_config
from labelnext.config.outline import load_outline
from labelnext.errors import ConfigError

FILES = {"source": {"adapter": "files", "path": "p.csv"}}


def test_an_outline_says_what_the_configuration_says(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "source: {adapter: files, path: p.csv, format: csv, key: id}\nstate: journals\n"
        "write: {output: order.csv}\nsend: {adapter: label-studio, project: 7}\npurpose: review\n"
    )
    outline, settings = load_outline(path), load_config(path)
    for name in ("source", "source_options", "write", "send", "rest", "path", "directory", "state"):
        assert getattr(outline, name) == getattr(settings, name), name
    assert (outline.source.adapter, outline.source.key) == ("files", "id")
    assert (outline.write.output, outline.write.run) == (Path("order.csv"), "labelnext_review")
    assert outline.state == tmp_path / "journals"
    assert config_of(outline) == settings


def test_an_outline_of_a_mapping_is_of_the_current_folder() -> None:
    outline = load_outline(FILES)
    assert (outline.path, outline.directory, outline.state) == (None, Path(), Path(".labelnext"))


@pytest.mark.parametrize("wrong", [{"budget": 0}, {"method": "best"}, {"options": {"clusters": 3}}])
def test_how_it_ranks_is_not_looked_at(wrong: dict[str, Any]) -> None:
    outline = load_outline({**FILES, "selection": wrong})
    assert outline.source.adapter == "files"
    with pytest.raises(ConfigError, match="selection"):
        config_of(outline)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"stat": "journals"}, "stat is not a known key"),
        ({"state": "s3://bucket/journals"}, "state must be a path on this machine"),
        ({"engine": "spark"}, "engine must be"),
    ],
)
def test_the_top_level_keys_are_checked_at_once(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_outline({**FILES, **wrong})


@pytest.mark.parametrize(
    ("wrong", "name", "told"),
    [
        ({"source": {}}, "source", "source must name its adapter"),
        ({"source": {"adapter": "fils"}}, "adapter", "source.adapter must be one of"),
        ({"source": {**FILES["source"], "paht": "q"}}, "source_options", "paht is not a known"),
        ({"write": {"mode": "now"}}, "write", "write.mode must be"),
        ({"send": {"adapter": "files"}}, "send", "send.adapter"),
        ({"write": "order.csv"}, "write", "write must be a mapping"),
    ],
)
def test_a_section_is_checked_when_it_is_asked_for(
    wrong: dict[str, Any], name: str, told: str
) -> None:
    outline = load_outline({**FILES, **wrong})
    with pytest.raises(ConfigError, match=told):
        getattr(outline, name)
