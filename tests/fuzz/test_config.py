"""Every key of the schema with every kind of odd value: a configuration, or one ConfigError."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.config import load_config
from labelnext.config.schema import json_schema
from labelnext.errors import ConfigError, LabelnextError
from labelnext.runs.check import check
from labelnext.runs.run import run
from tests.formats.mutations import BYTES, ODD, changed, changed_bytes
from tests.fuzz.campaign import Campaign

BASES = {
    "files": {"path": "p.jsonl"},
    "label-studio": {"url": "http://127.0.0.1:1", "api_key": "k", "project": "1"},
    "fiftyone": {"dataset": "d"},
}
OPTIONS = {
    "acquisition": ["base", "k", "class_weights", "class_quality", "per_cost", "no_objects_share"],
    "selection": ["exclude", "include", "quota", "quota_of", "per_group", "budget_in"],
}
WORDS = [
    *("", "~", "null", "true", "no", "on", "0", "-1", "007", "1.10", "1e3", "1e999", "12:30:00"),
    *("2026-02-30", "2026-11-22", ".nan", "-.inf", "9" * 5000, "text", "'5'", "''", "[]", "[a]"),
    *("[no, yes]", "[[a]]", "[null]", "{}", "{a: b}", "{a: {b: 1}}", "~nobody1/x", "${", "${X"),
    *("${NOWHERE1}", "${NOWHERE1:-}", "*a", "&a [*a]", "!!bool x", "!!binary aa", '"a\\0b"'),
    *('"a\\nb"', "s3://bucket/x", "http://me:pw@h/x", "..", "- a", "|\n    x", "é", "a: b", "@"),
]


@cache
def _places() -> list[tuple[str, str, str]]:
    """Every adapter, section and key; the section is empty for a key at the top."""
    properties: dict[str, Any] = json_schema()["properties"]
    places = []
    for adapter in BASES:
        for name, schema in properties.items():
            places.append((adapter, "", name))
            kinds = schema.get("anyOf", [schema])
            if name in ("source", "write"):
                kinds = [kind for kind in kinds if kind["title"] == adapter]
            places += [(adapter, name, key) for kind in kinds for key in kind.get("properties", {})]
        for section, keys in OPTIONS.items():
            places += [(adapter, f"{section}.options", key) for key in keys]
    return places


def _text(adapter: str, section: str, key: str, word: str) -> str:
    sections: dict[str, dict[str, str]] = {"source": {"adapter": adapter, **BASES[adapter]}}
    name, _, options = section.partition(".")
    if not section:
        sections.pop(key, None)
        tail = f"{key}: {word}\n"
    elif options:
        sections.setdefault(name, {"name": "entropy"} if name == "acquisition" else {})
        tail = f"  options:\n    {key}: {word}\n"
    else:
        sections.setdefault(name, {}).pop(key, None)
        tail = f"  {key}: {word}\n"
    held = sections.pop(name, {}) if section else {}
    lines = [
        f"{s}:\n" + "".join(f"  {k}: {v}\n" for k, v in own.items()) for s, own in sections.items()
    ]
    own = f"{name}:\n" + "".join(f"  {k}: {v}\n" for k, v in held.items()) if section else ""
    return "".join(lines) + own + tail


def _error(config: Path | dict[str, Any]) -> ConfigError | None:
    try:
        load_config(config)
    except ConfigError as error:
        return error
    return None


def _checked_error(path: Path, text: str) -> ConfigError | None:
    path.write_text(text, "utf-8")
    error = _error(path)
    if error is not None:
        said = str(error)
        assert "\n" not in said
        assert error.message.startswith(str(path))
        assert not any(word in said for word in ("pydantic", "Input should", "validation error"))
        assert len(said) < 1000
    return error


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "labelnext.yaml"


def test_every_key_with_one_odd_value_each(file: Path) -> None:
    places = _places()
    assert len(places) > 150
    found = [
        _checked_error(file, _text(*place, WORDS[(7 * number + turn * 11) % len(WORDS)]))
        for turn in range(3)
        for number, place in enumerate(places)
    ]
    kept = found.count(None)
    assert 0 < kept < len(found)  # some are right, and some are wrong


@pytest.mark.filterwarnings("ignore::labelnext.errors.LabelnextWarning")
def test_check_refuses_what_a_run_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key of files with some odd values: both fail, or neither."""
    monkeypatch.chdir(tmp_path)
    rows = [{"item_id": i, "probabilities": {"a": i / 10, "b": 1 - i / 10}} for i in range(9)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    places = [place for place in _places() if place[0] == "files"]
    counts = {True: 0, False: 0}
    for turn, (number, place) in product(range(4), enumerate(places)):
        path = tmp_path / "labelnext.yaml"
        path.write_text(_text(*place, WORDS[(7 * number + turn * 11) % len(WORDS)]), "utf-8")
        if _error(path) is not None:
            continue
        try:
            failed = bool(run(path).nothing_ranked)
        except LabelnextError:
            failed = True
        assert check(path).ok != failed, path.read_text("utf-8")
        counts[failed] += 1
    assert all(counts.values())


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_key_with_any_value_is_a_configuration_or_an_error(
    file: Path, data: st.DataObject
) -> None:
    place = data.draw(st.sampled_from(_places()))
    word = data.draw(
        st.sampled_from(WORDS)
        | st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=12)
        | st.floats().map(str)
        | st.integers().map(str)
    )
    _checked_error(file, _text(*place, word))


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_python_value_is_a_configuration_or_an_error(data: st.DataObject) -> None:
    adapter, section, key = data.draw(st.sampled_from(_places()))
    name, _, options = section.partition(".")
    value = data.draw(_JSON)
    config: dict[str, Any] = {"source": {"adapter": adapter, **BASES[adapter]}}
    if adapter == "label-studio":
        config["source"]["project"] = 1
    if not section:
        config[key] = value
    elif options:
        config[name] = {"options": {key: value}}
    else:
        config.setdefault(name, {})[key] = value
    error = _error(config)
    assert error is None or "Input should" not in str(error)


EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
HOW = ("replace", "replace", "remove", "repeat", "rename")


def test_any_damage_to_a_configuration_is_a_configuration_or_an_error(
    file: Path, campaign: Campaign
) -> None:
    """Its values, as YAML, or the bytes of its text."""
    text = EXAMPLE.read_bytes()
    whole = yaml.safe_load(text)

    def trial(rng: random.Random) -> str:
        if rng.random() < 0.4:
            content = text
            for _ in range(rng.randint(1, 3)):
                odd = rng.choice(BYTES)
                content = changed_bytes(content, rng.choice(HOW), rng.randrange(10**6), odd)
        else:
            value = copy.deepcopy(whole)
            for _ in range(rng.randint(1, 3)):
                value = changed(value, rng.choice(HOW), rng.randrange(10**6), rng.choice(ODD))
            said = json.dumps(value) if rng.random() < 0.2 else yaml.safe_dump(value)
            content = said.encode("utf-8", "surrogatepass")
        file.write_bytes(content)
        error = _error(file)
        if error is None:
            return "loaded"
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        assert not any(word in str(error) for word in ("pydantic", "Input should", "Traceback"))
        return "refused"

    campaign.run(150, trial)
