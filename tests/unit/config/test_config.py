from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.config import load_config
from labelnext.config.schema import json_schema
from labelnext.errors import ConfigError, NotFound

MINIMAL = "source: {adapter: files, path: pool.jsonl}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "labelnext.yaml"
    path.write_text(text)
    return path


# Of all sections but replay.
DEFAULTS: dict[str, Any] = {
    "source": {
        "adapter": "files",
        "key": None,
        "predictions": None,
        "path": "pool.jsonl",
        "format": None,
        "pictures": None,
        "broken": "stop",
        "data": None,
        "image_folder": None,
        "image_size": None,
        "task": None,
        "columns": {},
        "classes": None,
        "multilabel": False,
        "scale": "fraction",
        "logits": None,
        "labels_are": None,
        "delimiter": None,
        "decimal": None,
        "encoding": None,
        "holds": "probabilities",
        "images": None,
        "ids": None,
        "split": None,
        "bbox": "xywh",
        "answer_key": None,
        "confidence_key": None,
        "label_key": None,
        "score_name": None,
        "spans": None,
        "older": [],
        "label_config": None,
        "from_name": None,
        "model_version": None,
        "merge": None,
        "labels": "latest",
    },
    "acquisition": {
        "name": "auto",
        "of": None,
        "reduce": None,
        "floor": None,
        "no_objects": None,
        "calibrate": "off",
        "options": {},
    },
    "selection": {"method": "top_k", "budget": 100, "seed": 0, "options": {}},
    "write": {
        "mode": "queue",
        "run": "labelnext",
        "output": "ranking.csv",
        "excel_safe": False,
        "order": None,
    },
    "send": {
        "adapter": "label-studio",
        "field": "labels",
        "key": None,
        "url": None,
        "api_key": None,
        "project": None,
        "from_name": None,
        "fields": [],
        "attributes": [],
        "labels": "latest",
        "document_root": None,
        "url_prefix": "/data/local-files/?d=",
        "ca_bundle": None,
    },
    "report": {"path": "labelnext-report.html", "thumbnails": 50, "map": "pca"},
    "state": ".labelnext",
    "engine": "local",
    "threads": None,
    "purpose": "label",
    "review": {"score": "auto"},
    "watch": {
        "labels": 20,
        "minutes": None,
        "command": None,
        "shell": False,
        "timeout": 60.0,
        "predictions": None,
        "version": "round-{round}",
        "listen": None,
        "callback": None,
        "page": None,
    },
    "ray": {"address": None},
}


def test_minimal_config_gets_the_shared_defaults(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, MINIMAL))
    replay = config.to_dict()["replay"]
    assert (replay["seeds"], replay["test_size"]) == (20, 0.4)
    expected = {"replay": replay, **DEFAULTS}
    # Every format may add options to the source: config.example.yaml has them all.
    source = {k: v for k, v in config.to_dict()["source"].items() if k in expected["source"]}
    assert {**config.to_dict(), "source": source} == expected
    assert config.directory == tmp_path


def test_config_may_be_a_mapping() -> None:
    config = load_config({"source": {"adapter": "files", "path": "x.csv"}})
    assert config.path is None


def test_bare_off_of_yaml_is_off(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, MINIMAL + "acquisition: {calibrate: off}\n"))
    assert config.acquisition.calibrate == "off"


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="config file .*none.yaml' doesn't exist") as caught:
        load_config(tmp_path / "none.yaml")
    assert "labelnext init" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping of keys to values; got nothing"),
        ("- a\n- b\n", "must be a mapping of keys to values; got a list"),
        ("source: [\n", "line 2: config must be valid YAML"),
        ("\x00", "config must be valid YAML"),
        ("{{{", "config must be valid YAML"),
        ("selection: {budget: 5}\n", "source must name its adapter, one of .*files"),
        ("source:\n", "source must name its adapter"),
        ("source: files\n", "line 1: source must be a mapping"),
        ("source: {adapter: fles}\n", "line 1: source.adapter .*must be one of.*did you mean 'fi"),
        ("source: {adapter: files}\n", "line 1: source.path must be given"),
        ("source:\n  adapter: files\n  path: x\n  pat: y\n", "line 4: source.pat is not a known"),
        (MINIMAL + "selecton: {}\n", "line 2: selecton is not a known key.*mean selection"),
        (MINIMAL + "budget: 5\n", r"line 2: budget is not a known key.*mean selection\.budget"),
        (MINIMAL + "selection: {exclude: [a]}\n", r"exclude is not.*selection\.options\.exclude"),
        (MINIMAL + "per_group: 1\n", r"per_group is not.*mean selection\.options\.per_group"),
        (MINIMAL + "output: r.csv\n", r"output is not a known key.*mean write\.output"),
        (
            MINIMAL + "selection: {name: top_k}\n",
            r"name is not a known.*mean selection\.method",
        ),
        (MINIMAL + "selection: {batch_size: 9}\n", r"did you mean selection\.budget\?"),
        (MINIMAL + "selection: {strategy: x}\n", r"mean acquisition\.name or selection\.method\?"),
        (MINIMAL + "strategy: margin\n", r"mean acquisition\.name or selection\.method\?"),
        (MINIMAL + "acquisition: {function: x}\n", r"did you mean acquisition\.name\?"),
        (MINIMAL + "write: {run: ' '}\n", "line 2: write.run must not be blank; got ' '"),
        (MINIMAL + "write: {file: r.csv}\n", r"did you mean write\.output\?"),
        ("source: {adapter: files, file: x}\n", r"did you mean source\.path\?"),
        (MINIMAL + "acquisition: margin\n", r"acquisition must be a mapping.*{name: margin}"),
        (
            MINIMAL + "write: {prelabels: true}\n",
            r"prelabels is not a known key.*for source.adapter: fiftyone or label-studio",
        ),
        (
            "source: {adapter: files, path: p.csv, groups: a}\n",
            r"source\.groups is not a known key.*it is a key for source\.adapter: fiftyone",
        ),
        (MINIMAL + "write: {seed: 5}\n", r"write.seed is not a known key.*mean .*selection\.seed"),
        (MINIMAL + "selection:\n  budgt: 3\n", "line 3: selection.budgt is not.*mean budget"),
        (
            MINIMAL + "selection:\n  budget: 0\n",
            "line 3: selection.budget must be at least 1.*0",
        ),
        (MINIMAL + "selection:\n  budget: -1\n", "selection.budget must be at least 1; got -1"),
        (
            MINIMAL + "selection: {budget: many}\n",
            "selection.budget must be a whole number or null;.*'many'",
        ),
        (MINIMAL + "selection: {method: topk}\n", "selection.method must be one of.*'top_k'"),
        (MINIMAL + "acquisition: {name: margn}\n", "acquisition.name must be one of.*'margin'"),
        (
            MINIMAL + "acquisition: {of: boxes}\n",
            "acquisition.of must be 'items', 'objects' or null",
        ),
        (MINIMAL + "acquisition: {floor: 2}\n", "acquisition.floor must be at most 1; got 2"),
        (MINIMAL + "write: {mode: yolo}\n", "write.mode must be 'queue'; got 'yolo'"),
        (MINIMAL + "engine: cloud\n", "line 2: engine must be 'local'"),
        (MINIMAL + "state: a\nstate: b\n", "line 3: state is given twice; line 2 already sets it"),
        (MINIMAL + "report: {path: [1]}\n", "line 2: report.path"),
        (MINIMAL + "report:{path: a.html}\n", "report:{path is not .* a space after each colon"),
        ("source:\n  adapter:files\n", "got 'adapter:files'.*a space after each colon, as in adap"),
        ('source: {adapter: files, path: "a\\d.csv"}', "in double quotes a backslash starts"),
        ("source: {adapter: files, path: ${HOME}/a.csv}", r"write values with \${…} in quotes"),
        ("source: {adaptor: files, path: a.csv}", "write adapter in place of adaptor"),
        ("source: {adapter: yolo, path: runs}", "write adapter: files, format: yolo"),
        ("source: files", "write source: {adapter: files}"),
        (MINIMAL + "report: page.html", "write report: {path: page.html}"),
        (MINIMAL + "report: false", "write report: {path: null}"),
        (MINIMAL + "acquisition: margni", "write acquisition: {name: margin}"),
        (MINIMAL + "acquisition: Entropy", "write acquisition: {name: entropy}"),
        (MINIMAL + "selection: k_centre", "write selection: {method: k_center}"),
        (MINIMAL + "selection: zzz", "write selection: {method: zzz}"),
        (MINIMAL + "report: Off", "write report: {path: null}"),
        (MINIMAL + "write: out/r.csv", "write write: {output: out/r.csv}"),
        (
            "source: {adapter: label-studio, url: 'localhost:8080', api_key: k, project: 1}",
            "include a host, such as http://localhost:8080",
        ),
        (
            "source: {adapter: files, path: a.csv, embeddings: {form: text}}",
            "source.embeddings.form is not a known key.*did you mean from",
        ),
    ],
)
def test_wrong_config_names_the_key_the_file_and_the_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=f"(?s){message}") as caught:
        load_config(path)
    assert caught.value.message.startswith(str(path))


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("p.csv", "id,cat,dog\na,0.9,0.1\n", "csv"),
        ("p.jsonl", '{"id": "a", "probabilities": [0.9, 0.1]}\n' * 2, "jsonl"),
        ("labels/a.txt", "0 .5 .5 .1 .1 .9\n", "yolo"),
    ],
)
def test_predictions_in_place_of_a_configuration_are_called_so(
    tmp_path: Path, name: str, text: str, format_: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path = path.parent if format_ == "yolo" else path
    with pytest.raises(ConfigError, match=rf"it holds predictions \({format_}\); .*init files"):
        load_config(path)


def test_variables_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL", "there")
    monkeypatch.delenv("NOWHERE", raising=False)
    text = "source: {adapter: files, path: '${POOL}/${NOWHERE:-a}/$${x}.csv'}\n"
    config = load_config(written(tmp_path, text))
    assert str(config.source_options.path) == "there/a/${x}.csv"


def test_variable_may_hold_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUDGET", "7")
    config = load_config(written(tmp_path, MINIMAL + "selection: {budget: '${BUDGET}'}\n"))
    assert config.selection.budget == 7


def test_unset_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    path = written(tmp_path, MINIMAL + "state: ${NOWHERE}\n")
    with pytest.raises(ConfigError, match="line 2: state needs the environment variable NOWHERE"):
        load_config(path)


def test_error_shows_the_name_of_a_variable_and_not_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "s3cr3t")
    path = written(tmp_path, MINIMAL + "selection: {budget: '${KEY}'}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "${KEY}" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


LABEL_STUDIO = (
    "source:\n  adapter: label-studio\n  url: http://127.0.0.1:1\n  api_key: s3cr3t\n  project: 1\n"
)


def test_a_mapping_that_holds_itself_is_refused_and_one_that_is_used_twice_is_not() -> None:
    source = {"adapter": "files", "path": "x.csv"}
    loop: dict[str, object] = {}
    loop["C"] = loop
    for options in (loop, {"C": [[loop]]}):
        with pytest.raises(ConfigError, match="config must not hold itself"):
            load_config({"source": {**source, "model": {"probe": "logistic", "options": options}}})
    twice = ["a"]
    options = {"include": twice, "similar_to": twice}
    assert load_config({"source": source, "selection": {"options": options}})


@pytest.mark.parametrize("metadata", [5, "city", [1], None])
def test_names_of_further_columns_are_a_list(metadata: Any) -> None:
    with pytest.raises(ConfigError, match="metadata must be a list of names; got"):
        open_adapter("files", path="x.csv", metadata=metadata)


def test_secret_reaches_no_dump(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, LABEL_STUDIO))
    assert "s3cr3t" not in str(config.to_dict())
    assert "s3cr3t" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("api_key: s3cr3t", "api_key: [s3cr3t]"),
        ("api_key: s3cr3t", "api_key: s3cr3t with spaces"),
        ("//127", "//user:s3cr3t@127"),
        ("project: 1", "project: 0"),
    ],
)
def test_secret_reaches_no_error(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, LABEL_STUDIO.replace(old, new)))
    assert "s3cr3t" not in str(caught.value)


def test_schema_knows_every_adapter_and_describes_every_key() -> None:
    schema = json_schema()
    sources = schema["properties"]["source"]["anyOf"]
    assert {s["title"] for s in sources} >= {"files", "fiftyone", "label-studio"}
    for source in sources:
        for name, entry in source["properties"].items():
            assert name == "adapter" or "description" in entry, (source["title"], name)


def test_umap_is_asked_for_only_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("source: {adapter: files, path: p.csv}\nreport: {map: umap}\n")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ConfigError, match="line 2: report.map must be pca until .* umap-learn"):
        load_config(path)
