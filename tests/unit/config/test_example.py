"""config.example.yaml holds every key, with its default, and loads for every adapter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from labelnext.adapter import get_adapter
from labelnext.adapter.formats import FORMATS, format_names, get_format
from labelnext.adapter.registry import get_target
from labelnext.config import load_config
from labelnext.config.sections import SECTIONS
from labelnext.config.source import Rest, Source

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.yaml"
ADAPTERS = ("label-studio", "fiftyone", "files")


def example_for(adapter: str) -> str:
    """The example with another adapter's lines in force."""
    text = EXAMPLE.read_text()
    start, end = text.index("  # label-studio\n"), text.index("\nacquisition:")
    parts = re.split(r"(?m)^  # (label-studio|fiftyone|files)(?: .*)?\n", text[start:end])
    block = dict(zip(parts[1::2], parts[2::2], strict=True))[adapter]
    block = re.sub(r"(?m)^  # ", "  ", block)
    text = text[:start] + block + text[end:]
    text = text.replace("adapter: label-studio  ", f"adapter: {adapter}  ", 1)
    if adapter == "fiftyone":
        text = text.replace("  # objects: ", "  objects: ")
    if adapter == "files":
        text = text.replace("  # order: ", "  order: ")
    others = {"label-studio": "none", "fiftyone": "tab|annotators|why|overlap|clusters|copies"}
    foreign = others.get(adapter, "tab|annotators|why|overlap|clusters|copies|prelabels")
    return re.sub(rf"(?m)^  ({foreign}): .*\n", "", text)


def installed_options() -> set[str]:
    """The options of formats from other packages, which the example doesn't name."""
    options = {n: set(get_format(n).Options.model_fields) for n in format_names()}
    ours = set[str]().union(*(options[name] for name in FORMATS.own_names()))
    return set[str]().union(*options.values()) - ours


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_example_loads_with_the_keys_of(adapter: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(example_for(adapter))
    assert load_config(path).source.adapter == adapter


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_example_holds_every_key_with_its_default(adapter: str) -> None:
    data = yaml.safe_load(example_for(adapter))
    cls = get_adapter(adapter)
    models = {
        "source": {**Source.model_fields, **cls.SourceOptions.model_fields},
        "write": cls.WriteOptions.model_fields,
        "send": get_target("label-studio").SendOptions.model_fields,
        **{name: model.model_fields for name, model in SECTIONS.items()},
    }
    for section, fields in models.items():
        lacking, gone = set(fields) - set(data[section]), set(data[section]) - set(fields)
        assert not gone, f"take {gone} out of {section} in config.example.yaml"
        if section == "source" and adapter == "files":
            lacking -= installed_options()
        assert not lacking, f"{section} must have {lacking}: run `make tables`, or write them"
    assert set(data) == {*models, *Rest.model_fields}
    for section in ("send", *SECTIONS):
        loaded = load_config({"source": {"adapter": "files", "path": "x"}}).to_dict()[section]
        assert {**data[section], "calibrate": None} == {**loaded, "calibrate": None}


def test_every_line_with_a_key_is_explained() -> None:
    unexplained = [
        line
        for line in EXAMPLE.read_text().splitlines()
        if re.match(r"  (?:# )?[a-z_]+: ", line) and not re.search(r"\S  +# \S|}  # ", line)
    ]
    assert unexplained == []
